// The first layer of teacher and student: 4 x 4 convolution of the image, bias, ReLU and 2 x 2 average pool.
//
// image [n, h, pitch, 4] half, 16 bytes to two pixels (pitch is even), the fourth channel 1 -> output [n, (h - 3) / 2,
// (w - 3) / 2, co]. The fourth channel's weights carry the bias, those of all channels the pool's quarter and the
// outputs' steps (factors.cuh).
//
// Weights are the rows of the product and pixels its columns, k is (ky, kx, channel): 64. One mma takes a row of the
// kernel, its k permuted so that lane t of four holds all channels of kx = t: a factor of eight neighbouring pixels is
// one load of 8 bytes per lane, and even and odd columns of a window end up in one thread. The rows of the weights are
// permuted too: a thread has eight neighbouring channels and stores them at once.
//
// Block: 4 warps of 64 channels each keep their weights in registers and walk over 32 x 4 windows, whose part of the
// image lies in shared memory. Grid: x windows, y windows, then (sample, 256 channels). Bound by tensor cores and by
// the instructions of the epilogue: with so small a k, about as many as of mma.

#pragma once

#include "common.cuh"
#include "factors.cuh"
#include "tensor_core.cuh"

constexpr int Kernel = 4, WindowsAcross = 32, WindowsDown = 4, BlockChannels = 256, WarpChannels = 64;
constexpr int Rows = 2 * WindowsDown + Kernel - 1, RowChunks = WindowsAcross + 2;  // of the image; 16 bytes each
constexpr int Threads = BlockChannels / WarpChannels * 32, Tiles = WarpChannels / 16;

// Brings this block's part of the image; what lies behind its edges repeats them and only reaches windows that are not
// stored.
__device__ __forceinline__ void load_image(
    uint4 (&rows)[Rows][RowChunks], const uint4* image, int h, int pitch_chunks) {
    const int top = blockIdx.y * WindowsDown * 2, left = blockIdx.x * WindowsAcross;
    for (int i = threadIdx.x; i < Rows * RowChunks; i += Threads) {
        const int y = i / RowChunks, x = i % RowChunks;
        const unsigned offset = min(top + y, h - 1) * pitch_chunks + min(left + x, pitch_chunks - 1);
        copy_async_16(shared_address(&rows[y][x]), image + offset);
    }
    commit_copies();
}

// sums of 16 channels each, for eight pixels in a row and the eight below them: weights x image.
__device__ __forceinline__ void convolve(
    float (&sums)[2][Tiles][4], const unsigned (&weights)[Tiles][Kernel][4], const uint2* pixel) {
    #pragma unroll
    for (int y = 0; y < Kernel + 1; y++) {
        const uint2 b = pixel[y * RowChunks * 2];
        #pragma unroll
        for (int below = 0; below < 2; below++) {
            const int ky = y - below;
            if (ky < 0 || ky >= Kernel) continue;
            #pragma unroll
            for (int i = 0; i < Tiles; i++) multiply_half(sums[below][i], weights[i][ky], b.x, b.y);
        }
    }
}

// The average of each window, a quarter already, of eight neighbouring channels.
template <typename Output>
__device__ __forceinline__ void store_windows(typename Output::Value* to, const float (&sums)[2][Tiles][4]) {
    Output::store(to, [&](int pair, int which) {
        const float* const upper = sums[0][pair] + 2 * which;
        const float* const lower = sums[1][pair] + 2 * which;
        return (rectify(upper[0]) + rectify(upper[1])) + (rectify(lower[0]) + rectify(lower[1]));
    });
}

template <typename Output>
__device__ __forceinline__ void first(
    const half_bits* image, const uint4* packed, typename Output::Value* output, int h, int w, int co) {
    __shared__ uint4 rows[Rows][RowChunks];
    const int pitch_chunks = (w + 1) / 2, groups = co / BlockChannels, group = blockIdx.z % groups;
    const int n = blockIdx.z / groups, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    load_image(rows, (const uint4*)image + (size_t)n * h * pitch_chunks, h, pitch_chunks);

    unsigned weights[Tiles][Kernel][4];
    packed += ((group * (Threads / 32) + warp) * Tiles * Kernel) * 32 + lane;
    #pragma unroll
    for (int i = 0; i < Tiles; i++)
        #pragma unroll
        for (int ky = 0; ky < Kernel; ky++) {
            const uint4 part = packed[(i * Kernel + ky) * 32];
            weights[i][ky][0] = part.x, weights[i][ky][1] = part.y;
            weights[i][ky][2] = part.z, weights[i][ky][3] = part.w;
        }
    wait_for_copies<0>();
    __syncthreads();

    const int oh = (h - Kernel + 1) / 2, ow = (w - Kernel + 1) / 2, g = lane / 4, t = lane % 4;
    const int left = blockIdx.x * WindowsAcross + t;
    #pragma unroll 1
    for (int down = 0, y = blockIdx.y * WindowsDown; down < WindowsDown && y < oh; down++, y++) {
        const uint2* pixel = (const uint2*)rows[2 * down] + g + t;
        typename Output::Value* to = output + ((size_t)(n * oh + y) * ow + left) * co + group * BlockChannels
            + warp * WarpChannels + g * 8;
        const int end = min(left - t + WindowsAcross, ow);
        #pragma unroll 1
        for (int x = left; x - t < end; x += 4, pixel += 8, to += 4 * co) {
            float sums[2][Tiles][4] = {};
            convolve(sums, weights, pixel);
            if (x < ow) store_windows<Output>(to, sums);
        }
    }
}

#define FUSED_FIRST(NAME, OUTPUT)                                                                                     \
    extern "C" __global__ void __launch_bounds__(Threads, 4) NAME(                                                    \
        const half_bits* __restrict__ image, const uint4* __restrict__ packed, OUTPUT::Value* __restrict__ output,    \
        int h, int w, int co) {                                                                                       \
        first<OUTPUT>(image, packed, output, h, w, co);                                                               \
    }
