// The autoencoder's decoder, a step to a launch: bilinear resize, convolution with ReLU, 64 -> 64 channels, half in and
// out, float sums. The resized map exists in shared memory alone.
//
// step4    input [n, in, in, 64]  ->  resized to side x side  ->  convolution 4 x 4, padding 2  ->  [n, side + 1, ...]
// step3    likewise, convolution 3 x 3, padding 1: the decoder's last hidden map
// columns  [n, 58, 58, 64], bordered  ->  [n, out_h, out_w, 576]: what a 3 x 3 convolution of the 56 x 56 map reads for
//          each output, resized: the convolution's output resized is the convolution of these, with the same weights
//
// A block has 16 columns and `Rows` rows of outputs (large: 8 rows, small: 2, for batch 1) and all 64 channels. The
// sums have one order whatever the tile. Outputs go to `output`, row_pitch pixels from row to row. Grid: x, y, samples.

#include "half_patch.cuh"
#include "resize_bilinear.cuh"

constexpr int Columns = 16, Channels = 64, Threads = 128;

// Eight channels at a place between pixels.
__device__ __forceinline__ uint4 sampled(const half_bits* __restrict__ map, int pitch, Tap row, Tap column) {
    const half_bits* low = map + (long long)row.low * pitch * Channels;
    const half_bits* high = map + (long long)row.high * pitch * Channels;
    const uint4 a = *(const uint4*)(low + column.low * Channels), b = *(const uint4*)(low + column.high * Channels);
    const uint4 c = *(const uint4*)(high + column.low * Channels), d = *(const uint4*)(high + column.high * Channels);
    const unsigned corners[4][4] = {
        {a.x, a.y, a.z, a.w}, {b.x, b.y, b.z, b.w}, {c.x, c.y, c.z, c.w}, {d.x, d.y, d.z, d.w}};
    unsigned result[4];
    #pragma unroll
    for (int i = 0; i < 4; i++) {
        float values[2];
        #pragma unroll
        for (int j = 0; j < 2; j++) {
            float corner[4];
            #pragma unroll
            for (int k = 0; k < 4; k++) corner[k] = to_float((half_bits)(corners[k][i] >> 16 * j));
            const float upper = (1 - column.fraction) * corner[0] + column.fraction * corner[1];
            const float lower = (1 - column.fraction) * corner[2] + column.fraction * corner[3];
            values[j] = (1 - row.fraction) * upper + row.fraction * lower;
        }
        result[i] = pack_halves(values[0], values[1]);
    }
    return {result[0], result[1], result[2], result[3]};
}

// The resized map around a block's outputs; zeros beyond it, where the convolution pads.
template <typename P, int Kernel, int Rows>
__device__ __forceinline__ void resize_into(
    void* patch, const half_bits* __restrict__ map, int in_side, int side, int top, int left) {
    constexpr int rows = Rows + Kernel - 1, columns = Columns + Kernel - 1, chunks = Channels / 8;
    const float scale = (float)in_side / side;
    for (int i = threadIdx.x; i < rows * columns * chunks; i += Threads) {
        const int pixel = i / chunks, chunk = i % chunks;
        const int y = top - Kernel / 2 + pixel / columns, x = left - Kernel / 2 + pixel % columns;
        uint4 value = {0, 0, 0, 0};
        if (y >= 0 && y < side && x >= 0 && x < side)
            value = sampled(map + chunk * 8, in_side, tap(y, in_side, scale, -0.5f), tap(x, in_side, scale, -0.5f));
        *(uint4*)((char*)patch + P::offset(pixel, chunk)) = value;
    }
}

// Down x Pairs tiles of 16 a warp; with fewer rows than warps, warps share the channels.
template <int Kernel, int Rows, int Down, int Pairs>
__device__ __forceinline__ void step(
    const half_bits* __restrict__ input, int in_side, int side, const uint4* __restrict__ weights,
    const float* __restrict__ bias, half_bits* __restrict__ output, int out_side, int row_pitch, int sample_pitch) {
    using P = Patch<Channels, Columns + Kernel - 1, 1>;
    constexpr int warps_down = Rows / Down;
    static_assert(warps_down * (4 / Pairs) == Threads / 32, "");
    __shared__ uint4 patch[(Rows + Kernel - 1) * P::Columns * Channels / 8];
    const int top = blockIdx.y * Rows, left = blockIdx.x * Columns;
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    resize_into<P, Kernel, Rows>(
        patch, input + (long long)blockIdx.z * in_side * in_side * Channels, in_side, side, top, left);
    __syncthreads();

    const int first_row = warp % warps_down * Down, first_pair = warp / warps_down * Pairs;
    int corner[Down];
    #pragma unroll
    for (int i = 0; i < Down; i++) corner[i] = P::corner(first_row + i, lane % 16);
    float sum[Down][2 * Pairs][4] = {};
    convolve_patch<P, Kernel, Down, Pairs>(sum, patch, corner, weights + first_pair * 32, Channels / 16);

    output += (long long)blockIdx.z * sample_pitch * Channels;
    #pragma unroll
    for (int i = 0; i < Down; i++)
        #pragma unroll
        for (int half = 0; half < 2; half++) {
            const int y = top + first_row + i, x = left + 8 * half + lane / 4;
            if (y >= out_side || x >= out_side) continue;
            #pragma unroll
            for (int j = 0; j < Pairs; j += 2) {
                const int pair = first_pair + j;
                const uint2 low = finished(sum[i][2 * j], sum[i][2 * j + 1], half, bias_of_pair(bias, pair));
                const uint2 high = finished(sum[i][2 * j + 2], sum[i][2 * j + 3], half, bias_of_pair(bias, pair + 1));
                *(uint4*)(output + ((long long)y * row_pitch + x) * Channels + channel_of_pair(pair)) =
                    make_uint4(low.x, low.y, high.x, high.y);
            }
        }
}

#define FUSED_DECODER(KERNEL, SUFFIX, ROWS, DOWN, PAIRS)                                                              \
    extern "C" __global__ void __launch_bounds__(Threads) fused_decoder_step##KERNEL##_##SUFFIX(                      \
        const half_bits* __restrict__ input, int in_side, int side, const uint4* __restrict__ weights,                \
        const float* __restrict__ bias, half_bits* __restrict__ output, int out_side, int row_pitch,                  \
        int sample_pitch) {                                                                                           \
        step<KERNEL, ROWS, DOWN, PAIRS>(                                                                              \
            input, in_side, side, weights, bias, output, out_side, row_pitch, sample_pitch);                          \
    }

FUSED_DECODER(4, large, 8, 2, 4)
FUSED_DECODER(4, small, 2, 1, 2)
FUSED_DECODER(3, large, 8, 2, 4)
FUSED_DECODER(3, small, 2, 1, 2)

extern "C" __global__ void __launch_bounds__(Threads) fused_decoder_columns(
    const half_bits* __restrict__ input, int in_side, half_bits* __restrict__ columns, int out_h, int out_w) {
    constexpr int taps = 9, chunks = Channels / 8;
    const int i = blockIdx.x * Threads + threadIdx.x, pitch = in_side + 2;
    if (i >= out_h * out_w * taps * chunks) return;
    const int chunk = i % chunks, tap_index = i / chunks % taps, pixel = i / chunks / taps;
    const Tap row = tap(pixel / out_w, in_side, (float)in_side / out_h, -0.5f);
    const Tap column = tap(pixel % out_w, in_side, (float)in_side / out_w, -0.5f);
    const half_bits* map = input + (long long)blockIdx.y * pitch * pitch * Channels;
    const half_bits* shifted = map + (tap_index / 3 * pitch + tap_index % 3) * Channels + chunk * 8;
    *(uint4*)(columns + ((long long)blockIdx.y * out_h * out_w * taps * chunks + i) * 8) =
        sampled(shifted, pitch, row, column);
}
