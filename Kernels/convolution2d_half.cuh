// A convolution from half-precision pixels [n, h, w, ci'] as a product on tensor cores (mma.sync), float sums: what the
// forward convolution and the input gradient share. ci' is padded with zeros to a multiple of 8, so that a copy of 16
// bytes holds 8 channels of one pixel; k is (ky, kx, ci'), padded with zeros to a multiple of 32. Rows of the product
// are output pixels, columns output channels.
//
// Three stages of 32 k: 64-byte rows whose four chunks are exchanged by (row / 2) % 4, so that neither cp.async nor
// ldmatrix meets a bank twice. k may be split over grid y as for float32.
#pragma once

#include "convolution2d.cuh"

constexpr int StageDepth = 32, Chunk = 8, Stages = 3;

// Gradients are far below what half precision holds. A power of two brings the largest magnitude of a tensor, whose
// bits are `largest`, to 2^14 .. 2^15, so that nothing overflows and nothing above 2^-29 of it loses a bit; and back.
__device__ __forceinline__ int scale_exponent(unsigned largest) {
    return min(max(127 + 14 + 127 - (int)(largest >> 23), 1), 253);
}

__device__ __forceinline__ float scale_of(unsigned largest) {
    return __uint_as_float(scale_exponent(largest) << 23);
}

__device__ __forceinline__ float unscale_of(unsigned largest) {
    return __uint_as_float((254 - scale_exponent(largest)) << 23);
}

__device__ __forceinline__ int chunk_offset(int row, int chunk) {
    return row * StageDepth + (chunk ^ row / 2 % 4) * Chunk;
}

template <int BlockPixels, int BlockChannels, int PixelsOfWarp, int ChannelsOfWarp>
struct Tile {
    static constexpr int Pixels = BlockPixels, Channels = BlockChannels;
    static constexpr int WarpPixels = PixelsOfWarp, WarpChannels = ChannelsOfWarp;
    static constexpr int WarpsDown = Pixels / WarpPixels, Threads = 32 * WarpsDown * (Channels / WarpChannels);
    static constexpr int Down = WarpPixels / 16, Across = WarpChannels / 8;  // mma tiles of a warp
    static constexpr int Loads = Pixels * 4 / Threads;                       // rows of each matrix that a thread copies

    static_assert(Pixels == Channels && Loads == 2, "a thread copies two chunks of each matrix per stage");

    struct Stage { half_bits pixels[Pixels * StageDepth], weights[Channels * StageDepth]; };
};

using Large = Tile<128, 128, 64, 32>;
using Medium = Tile<64, 64, 32, 32>;

struct Problem {
    const half_bits *input, *weights;
    int n, ci, h, w, co, oh, ow, kh, kw, stride, pad_y, pad_x;  // ci is padded
    int pitch;  // channels from pixel to pixel: ci, or more to take a part

    __device__ int depth() const { return (kh * kw * ci + StageDepth - 1) / StageDepth * StageDepth; }
};

// The chunks that one thread copies: chunk threadIdx.x % 4 of every stage, of two pixels and two channels.
template <typename T>
struct Loader {
    const half_bits *corner[T::Loads], *weights[T::Loads];  // input at the kernel's corner; the channel's row
    int top[T::Loads], left[T::Loads], h, w, ci, kh, kw, pitch;
    int ky, kx, channel;                                    // of the next chunk
    bool pixel_valid[T::Loads], channel_valid[T::Loads];

    __device__ Loader(const Problem& p, int first_pixel, int first_channel, int first_k)
        : h(p.h), w(p.w), ci(p.ci), kh(p.kh), kw(p.kw), pitch(p.pitch) {
        const int plane = p.oh * p.ow, k = first_k + threadIdx.x % 4 * Chunk;
        ky = k / (ci * kw), kx = k / ci % kw, channel = k % ci;
        #pragma unroll
        for (int i = 0; i < T::Loads; i++) {
            const int row = threadIdx.x / 4 + i * (T::Threads / 4);
            const int pixel = first_pixel + row, n = pixel / plane;
            pixel_valid[i] = n < p.n;
            top[i] = pixel % plane / p.ow * p.stride - p.pad_y, left[i] = pixel % p.ow * p.stride - p.pad_x;
            corner[i] = p.input + ((long long)n * h * w + top[i] * w + left[i]) * pitch;
            channel_valid[i] = first_channel + row < p.co;
            weights[i] = p.weights + (long long)(first_channel + row) * p.depth() + k;
        }
    }

    __device__ void load(typename T::Stage& stage) {
        #pragma unroll
        for (int i = 0; i < T::Loads; i++) {
            const int to = chunk_offset(threadIdx.x / 4 + i * (T::Threads / 4), threadIdx.x % 4);
            const bool valid = pixel_valid[i] && ky < kh && lies_inside(top[i] + ky, left[i] + kx, h, w);
            copy_async_16(&stage.pixels[to], corner[i] + ((ky * w + kx) * pitch + channel), valid);
            copy_async_16(&stage.weights[to], weights[i], channel_valid[i]);
            weights[i] += StageDepth;
        }
        for (channel += StageDepth; channel >= ci; channel -= ci)
            if (++kx == kw) { kx = 0; ky++; }
    }
};

template <typename T>
__device__ __forceinline__ void multiply(float (&sum)[T::Down][T::Across][4], const typename T::Stage& stage) {
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const int pixel = warp % T::WarpsDown * T::WarpPixels + lane % 16;
    const int channel = warp / T::WarpsDown * T::WarpChannels + lane % 8 + lane / 16 * 8;
    #pragma unroll
    for (int k = 0; k < 4; k += 2) {  // two chunks are one k of mma
        unsigned a[T::Down][4], b[T::Across / 2][4];
        #pragma unroll
        for (int i = 0; i < T::Down; i++)
            load_matrices(a[i], shared_address(&stage.pixels[chunk_offset(pixel + 16 * i, k + lane / 16)]));
        #pragma unroll
        for (int j = 0; j < T::Across / 2; j++)
            load_matrices(b[j], shared_address(&stage.weights[chunk_offset(channel + 16 * j, k + lane / 8 % 2)]));
        #pragma unroll
        for (int i = 0; i < T::Down; i++)
            #pragma unroll
            for (int j = 0; j < T::Across; j++)
                multiply_half(sum[i][j], a[i], b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1]);
    }
}

// Calls store(pixel, channel, low, high) for every pair of neighbouring channels that this thread has summed up.
template <typename T, typename Store>
__device__ __forceinline__ void for_each_pair(
    float (&sum)[T::Down][T::Across][4], int first_pixel, int first_channel, Store store) {
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    #pragma unroll
    for (int i = 0; i < T::Down; i++)
        #pragma unroll
        for (int half = 0; half < 2; half++) {
            const int pixel = first_pixel + warp % T::WarpsDown * T::WarpPixels + 16 * i + 8 * half + lane / 4;
            #pragma unroll
            for (int j = 0; j < T::Across; j++) {
                const int channel = first_channel + warp / T::WarpsDown * T::WarpChannels + 8 * j + lane % 4 * 2;
                store(pixel, channel, sum[i][j][2 * half], sum[i][j][2 * half + 1]);
            }
        }
}

// Sums of a block's tile, over this block's part of k.
template <typename T>
__device__ __forceinline__ void convolve(
    float (&sum)[T::Down][T::Across][4], const Problem& p, int first_pixel, int first_channel) {
    __shared__ __align__(128) typename T::Stage buffer[Stages];
    const int all = p.depth() / StageDepth;
    const int first = (long long)all * blockIdx.y / gridDim.y, end = (long long)all * (blockIdx.y + 1) / gridDim.y;
    Loader<T> loader(p, first_pixel, first_channel, first * StageDepth);
    using Stage = typename T::Stage;
    pipeline(
        buffer, end - first, [&](Stage& stage) { loader.load(stage); },
        [&](const Stage& stage) { multiply<T>(sum, stage); });
}
