// The autoencoder's middle, from 16 x 16 through one pixel of 64 numbers to 9 x 9, four layers in one launch, one block
// a sample: what would be four launches of a few microseconds each, for a thousandth of the work. Half in and out,
// float sums; nothing between reaches global memory.
//
// input [n, 16, 16, 64]
//   convolution 4 x 4, stride 2, padding 1, ReLU  ->  8 x 8    tensor cores
//   convolution 8 x 8                             ->  1 x 1    4096 products for each of 64 numbers, a warp for four
//   resized to 3 x 3 (nine times the same), convolution 4 x 4, padding 2, ReLU  ->  4 x 4
//              every tap times the one pixel, once; an output adds those of its taps that lie inside
//   resized to 8 x 8, convolution 4 x 4, padding 2, ReLU  ->  9 x 9    tensor cores
// -> output [n, 9, 9, 64]
//
// Bound by one multiprocessor's port to the L2 cache: 0.9 MB of weights. Grid: samples.

#include "half_patch.cuh"
#include "reduction.cuh"
#include "resize_bilinear.cuh"

constexpr int Threads = 512, Channels = 64, Chunks = Channels / 8;
constexpr int FifthSide = 8, FirstSide = 4, SecondSide = 9, Resized = 8;
using InputPatch = Patch<Channels, 18, 2>;
using SecondPatch = Patch<Channels, SecondSide + 3, 1>;

struct Middle {
    union {
        uint4 input[18 * 18 * Chunks];
        uint4 resized[SecondPatch::Columns * SecondPatch::Columns * Chunks];
    };
    uint4 fifth[FifthSide * FifthSide * Chunks];  // [pixel, channel]
    float code[Channels];
    float taps[16][Channels];                     // of the decoder's first kernel, times the code
    float first[FirstSide * FirstSide][Channels];
};

__device__ __forceinline__ void load_input(Middle& m, const uint4* __restrict__ input) {
    for (int i = threadIdx.x; i < 18 * 18 * Chunks; i += Threads) {
        const int y = i / Chunks / 18 - 1, x = i / Chunks % 18 - 1, chunk = i % Chunks;
        const bool inside = y >= 0 && y < 16 && x >= 0 && x < 16;
        *(uint4*)((char*)m.input + InputPatch::offset(InputPatch::index(y + 1, x + 1), chunk)) =
            inside ? input[(y * 16 + x) * Chunks + chunk] : make_uint4(0, 0, 0, 0);
    }
}

// A warp has two rows of eight outputs, and 16 channels.
__device__ __forceinline__ void fifth_layer(
    Middle& m, const uint4* __restrict__ weights, const float* __restrict__ bias) {
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, row = warp / 4 * 2, pair = warp % 4;
    const int corner[1] = {InputPatch::corner(row + lane % 16 / 8, lane % 8)};
    float sum[1][2][4] = {};
    convolve_patch<InputPatch, 4, 1, 1>(sum, m.input, corner, weights + pair * 32, 4);
    #pragma unroll
    for (int half = 0; half < 2; half++) {
        const int pixel = (row + half) * FifthSide + lane / 4;
        *(uint2*)((half_bits*)m.fifth + pixel * Channels + channel_of_pair(pair)) =
            finished(sum[0][0], sum[0][1], half, bias_of_pair(bias, pair));
    }
}

__device__ __forceinline__ float dot(unsigned a, unsigned b) {
    return to_float(a & 0xFFFF) * to_float(b & 0xFFFF) + to_float(a >> 16) * to_float(b >> 16);
}

__device__ __forceinline__ float dot(uint4 a, uint4 b) {
    return (dot(a.x, b.x) + dot(a.y, b.y)) + (dot(a.z, b.z) + dot(a.w, b.w));
}

// weights [64, 4096]
__device__ __forceinline__ void code_layer(
    Middle& m, const uint4* __restrict__ weights, const float* __restrict__ bias) {
    constexpr int chunks = FifthSide * FifthSide * Chunks, each = 4;
    const int lane = threadIdx.x % 32, first = threadIdx.x / 32 * each;
    float sum[each] = {};
    for (int i = lane; i < chunks; i += 32) {
        const uint4 values = m.fifth[i];
        #pragma unroll
        for (int j = 0; j < each; j++) sum[j] += dot(values, weights[(first + j) * chunks + i]);
    }
    #pragma unroll
    for (int j = 0; j < each; j++) {
        const float total = warp_sum(sum[j]);
        if (lane == 0) m.code[first + j] = total + bias[first + j];
    }
}

// weights [16 taps, 64, 64]
__device__ __forceinline__ void first_step(
    Middle& m, const uint4* __restrict__ weights, const float* __restrict__ bias) {
    for (int i = threadIdx.x; i < 16 * Channels; i += Threads) {
        float sum = 0;
        #pragma unroll
        for (int chunk = 0; chunk < Chunks; chunk++) {
            const uint4 w = weights[i * Chunks + chunk];
            const unsigned pairs[4] = {w.x, w.y, w.z, w.w};
            #pragma unroll
            for (int j = 0; j < 4; j++)
                sum += to_float(pairs[j] & 0xFFFF) * m.code[chunk * 8 + 2 * j]
                     + to_float(pairs[j] >> 16) * m.code[chunk * 8 + 2 * j + 1];
        }
        m.taps[i / Channels][i % Channels] = sum;
    }
    __syncthreads();
    for (int i = threadIdx.x; i < FirstSide * FirstSide * Channels; i += Threads) {
        const int channel = i % Channels, y = i / Channels / FirstSide, x = i / Channels % FirstSide;
        float sum = bias[channel];
        for (int ky = max(2 - y, 0); ky < min(5 - y, 4); ky++)
            for (int kx = max(2 - x, 0); kx < min(5 - x, 4); kx++) sum += m.taps[ky * 4 + kx][channel];
        m.first[y * FirstSide + x][channel] = rectified(sum);
    }
}

__device__ __forceinline__ void resize_first(Middle& m) {
    constexpr int columns = SecondPatch::Columns, pairs = Channels / 2;
    for (int i = threadIdx.x; i < columns * columns * pairs; i += Threads) {
        const int pixel = i / pairs, pair = i % pairs, y = pixel / columns - 2, x = pixel % columns - 2;
        float values[2] = {};
        if (y >= 0 && y < Resized && x >= 0 && x < Resized) {
            const Tap row = tap(y, FirstSide, (float)FirstSide / Resized, -0.5f);
            const Tap column = tap(x, FirstSide, (float)FirstSide / Resized, -0.5f);
            #pragma unroll
            for (int j = 0; j < 2; j++) {
                const int channel = 2 * pair + j;
                const float upper = (1 - column.fraction) * m.first[row.low * FirstSide + column.low][channel]
                                  + column.fraction * m.first[row.low * FirstSide + column.high][channel];
                const float lower = (1 - column.fraction) * m.first[row.high * FirstSide + column.low][channel]
                                  + column.fraction * m.first[row.high * FirstSide + column.high][channel];
                values[j] = (1 - row.fraction) * upper + row.fraction * lower;
            }
        }
        *(unsigned*)((char*)m.resized + SecondPatch::offset(pixel, pair / 4) + pair % 4 * 4) =
            pack_halves(values[0], values[1]);
    }
}

// 81 outputs are six times 16; twelve warps have 32 channels each.
__device__ __forceinline__ void second_step(
    Middle& m, const uint4* __restrict__ weights, const float* __restrict__ bias, half_bits* __restrict__ output) {
    constexpr int outputs = SecondSide * SecondSide;
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, first = warp / 2 * 16, pair = warp % 2 * 2;
    if (first >= outputs) return;
    const int mine = min(first + lane % 16, outputs - 1);
    const int corner[1] = {SecondPatch::corner(mine / SecondSide, mine % SecondSide)};
    float sum[1][4][4] = {};
    convolve_patch<SecondPatch, 4, 1, 2>(sum, m.resized, corner, weights + pair * 32, 4);
    #pragma unroll
    for (int half = 0; half < 2; half++) {
        const int pixel = first + 8 * half + lane / 4;
        if (pixel >= outputs) continue;
        const uint2 low = finished(sum[0][0], sum[0][1], half, bias_of_pair(bias, pair));
        const uint2 high = finished(sum[0][2], sum[0][3], half, bias_of_pair(bias, pair + 1));
        *(uint4*)(output + pixel * Channels + channel_of_pair(pair)) = make_uint4(low.x, low.y, high.x, high.y);
    }
}

extern "C" __global__ void __launch_bounds__(Threads) fused_middle(
    const half_bits* __restrict__ input, const uint4* __restrict__ fifth_weights, const float* __restrict__ fifth_bias,
    const uint4* __restrict__ code_weights, const float* __restrict__ code_bias,
    const uint4* __restrict__ first_weights, const float* __restrict__ first_bias,
    const uint4* __restrict__ second_weights, const float* __restrict__ second_bias, half_bits* __restrict__ output) {
    extern __shared__ uint4 shared[];
    Middle& m = *(Middle*)shared;
    const long long sample = blockIdx.x;
    load_input(m, (const uint4*)input + sample * 16 * 16 * Chunks);
    __syncthreads();
    fifth_layer(m, fifth_weights, fifth_bias);
    __syncthreads();
    code_layer(m, code_weights, code_bias);
    __syncthreads();
    first_step(m, first_weights, first_bias);
    __syncthreads();
    resize_first(m);
    __syncthreads();
    second_step(m, second_weights, second_bias, output + sample * SecondSide * SecondSide * Channels);
}
