// Forward convolution: half-precision factors on tensor cores (mma.sync), float sums; and the layouts around it.
//
// input [n, h, w, ci'] half x weights [co, k] half + bias [co] -> output [n, co, oh, ow] float, or [n, oh, ow, co']
// half; ci' and co' are padded with zeros to a multiple of 8. convolution2d_half.cuh has the product; the layouts are
// memory bound.

#include "convolution2d_half.cuh"

template <typename T>
__device__ __forceinline__ void forward(
    const Problem& p, const float* bias, float* planes, half_bits* pixels, int pixel_pitch, bool relu) {
    const int channel_tiles = (p.co + T::Channels - 1) / T::Channels;  // neighbouring blocks share their pixels
    const int first_channel = blockIdx.x % channel_tiles * T::Channels;
    const int first_pixel = blockIdx.x / channel_tiles * T::Pixels;
    float sum[T::Down][T::Across][4] = {};
    convolve<T>(sum, p, first_pixel, first_channel);

    const float least = least_output(relu);
    const int plane = p.oh * p.ow, stored = (p.co + 7) & ~7;
    if (planes) planes += (long long)blockIdx.y * p.n * p.co * plane;
    for_each_pair<T>(sum, first_pixel, first_channel, [&](int pixel, int channel, float low, float high) {
        if (pixel >= p.n * plane || channel >= stored) return;
        low += bias && channel < p.co ? bias[channel] : 0.0f;
        high += bias && channel + 1 < p.co ? bias[channel + 1] : 0.0f;
        low = low < least ? least : low, high = high < least ? least : high;
        if (pixels) {
            *(unsigned*)(pixels + (long long)pixel * pixel_pitch + channel) = pack_halves(low, high);
            return;
        }
        float* to = planes + ((long long)(pixel / plane) * p.co + channel) * plane + pixel % plane;
        if (channel < p.co) to[0] = low;
        if (channel + 1 < p.co) to[plane] = high;
    });
}

// Exactly one of `planes` and `pixels` is not null. A map of more channels than ci is read in part, with `input_pitch`
// channels from pixel to pixel, and one of more than co' written in part (`pixel_pitch`). A split of k wants planes
// [splits, n, co, oh, ow], no bias and no ReLU.
#define CONVOLUTION2D_HALF(SUFFIX, TILE)                                                                              \
    extern "C" __global__ void __launch_bounds__(TILE::Threads) convolution2d_forward_half_##SUFFIX(                  \
        const half_bits* __restrict__ input, const half_bits* __restrict__ weights, const float* __restrict__ bias,   \
        float* __restrict__ planes, half_bits* __restrict__ pixels, int n, int ci, int h, int w, int co, int oh,      \
        int ow, int kh, int kw, int stride, int padding, int relu, int input_pitch, int pixel_pitch) {                \
        forward<TILE>(                                                                                                \
            {input, weights, n, ci, h, w, co, oh, ow, kh, kw, stride, padding, padding, input_pitch}, bias, planes,   \
            pixels, pixel_pitch, relu != 0);                                                                          \
    }

CONVOLUTION2D_HALF(large, Large)
CONVOLUTION2D_HALF(medium, Medium)

// ---- layouts

// planes [n, c, plane] float -> pixels [n, plane, c'] half, zeros behind the last channel; scaled where there is a
// `largest`. Blocks of 32 x 8 threads turn 64 channels x 32 pixels around; grid: pixels, channels, samples.
extern "C" __global__ void convolution2d_half_from_planes(
    const float* __restrict__ planes, half_bits* __restrict__ pixels, int c, int plane,
    const unsigned* __restrict__ largest) {
    __shared__ float tile[64][33];
    const float scale = largest ? scale_of(*largest) : 1.0f;
    const int first_pixel = blockIdx.x * 32, first_channel = blockIdx.y * 64, stored = (c + 7) & ~7;
    planes += (long long)blockIdx.z * c * plane;
    pixels += (long long)blockIdx.z * plane * stored;
    for (int i = threadIdx.y; i < 64; i += 8) {
        const int pixel = first_pixel + threadIdx.x;
        const bool valid = first_channel + i < c && pixel < plane;
        tile[i][threadIdx.x] = valid ? planes[(long long)(first_channel + i) * plane + pixel] : 0.0f;
    }
    __syncthreads();
    const int channel = threadIdx.x * 2;
    if (first_channel + channel >= stored) return;
    for (int i = threadIdx.y; i < 32 && first_pixel + i < plane; i += 8)
        *(unsigned*)(pixels + (long long)(first_pixel + i) * stored + first_channel + channel) =
            pack_halves(tile[channel][i] * scale, tile[channel + 1][i] * scale);
}

// pixels [n, plane, c'] half -> planes [n, c, plane] float; blocks and grid as above.
extern "C" __global__ void convolution2d_half_to_planes(
    const half_bits* __restrict__ pixels, float* __restrict__ planes, int c, int plane) {
    __shared__ float tile[64][33];
    const int first_pixel = blockIdx.x * 32, first_channel = blockIdx.y * 64, stored = (c + 7) & ~7;
    planes += (long long)blockIdx.z * c * plane;
    pixels += (long long)blockIdx.z * plane * stored;
    const int channel = threadIdx.x * 2;
    for (int i = threadIdx.y; i < 32; i += 8) {
        if (first_pixel + i >= plane || first_channel + channel >= stored) continue;
        const half_bits* from = pixels + (long long)(first_pixel + i) * stored + first_channel + channel;
        const unsigned pair = *(const unsigned*)from;
        tile[channel][i] = to_float(pair & 0xFFFF), tile[channel + 1][i] = to_float(pair >> 16);
    }
    __syncthreads();
    if (first_pixel + threadIdx.x >= plane) return;
    for (int i = threadIdx.y; i < 64 && first_channel + i < c; i += 8)
        planes[(long long)(first_channel + i) * plane + first_pixel + threadIdx.x] = tile[i][threadIdx.x];
}

// weights [co, ci, kh kw] float -> packed [co, depth] half: k = (tap, ci'), zeros behind ci and behind the last tap.
extern "C" __global__ void convolution2d_half_pack(
    const float* __restrict__ weights, half_bits* __restrict__ packed, int co, int ci, int taps, int depth) {
    const long long i = global_thread_index();
    if (i >= (long long)co * depth) return;
    const int row = i / depth, k = i % depth, stored = (ci + 7) & ~7, tap = k / stored, channel = k % stored;
    packed[i] = to_half(tap < taps && channel < ci ? weights[((long long)row * ci + channel) * taps + tap] : 0.0f);
}
