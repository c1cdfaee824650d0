// A patch of half-precision pixels in shared memory, and convolutions of it on tensor cores: for layers small enough
// that the whole depth of a window fits.
//
// Weights come from global memory as `fragments`: for every 16 of k = (ky, kx, channel) and every 16 output channels
// what the 32 lanes feed mma with, 16 bytes a lane. A warp reads 512 neighbouring bytes, and needs neither shared
// memory nor a barrier for them. Columns of the products are permuted so that lane l ends up with channels 8 (l % 4)
// .. + 7 of every 32, which it stores as one chunk of 16 bytes.
#pragma once

#include "tensor_core.cuh"

// Channels is 32 or 64; Columns is the width in pixels. With a stride of 2, even and odd columns lie apart, so that the
// pixels that a tap meets are neighbours. The chunks of a pixel are exchanged by its index, so that eight neighbours
// fill all banks: ldmatrix has no conflicts.
template <int ChannelsOfPixel, int ColumnsOfPatch, int StrideOfWindows>
struct Patch {
    static constexpr int Channels = ChannelsOfPixel, Columns = ColumnsOfPatch, Stride = StrideOfWindows;
    static_assert((Channels == 32 || Channels == 64) && (Stride == 1 || (Stride == 2 && Columns % 2 == 0)), "");

    // Of the pixel; for a window at output (oy, ox), whose corner is Stride times that, see corner and tap.
    __device__ static int index(int y, int x) {
        return Stride == 1 ? y * Columns + x : y * Columns + x % 2 * (Columns / 2) + x / 2;
    }
    __device__ static int corner(int oy, int ox) { return oy * Stride * Columns + ox; }
    __device__ static int tap(int ky, int kx) { return index(ky, kx); }

    // In bytes, of a chunk of 8 channels.
    __device__ static int offset(int index, int chunk) {
        return Channels == 64 ? index * 128 + (chunk ^ (index & 7)) * 16
                              : index * 64 + (chunk ^ (index >> 1 & 3)) * 16;
    }
};

// sum += windows x weights, for Down x 16 windows and Pairs x 16 channels of one warp, over the rows [first_row,
// end_row) of the kernel. `corner` is that of window lane % 16 of each 16; `fragments` those of the warp's first
// channels at first_row, of `all_pairs`.
template <typename P, int Kernel, int Down, int Pairs>
__device__ __forceinline__ void convolve_patch(
    float (&sum)[Down][2 * Pairs][4], const void* patch, const int (&corner)[Down],
    const uint4* __restrict__ fragments, int all_pairs, int first_row = 0, int end_row = Kernel) {
    const int lane = threadIdx.x % 32;
    const unsigned start = shared_address(patch);
    fragments += lane;
    #pragma unroll 1
    for (int ky = first_row; ky < end_row; ky++) {
        #pragma unroll
        for (int kx = 0; kx < Kernel; kx++) {
            #pragma unroll
            for (int c = 0; c < P::Channels / 16; c++) {
                uint4 b[Pairs];
                #pragma unroll
                for (int j = 0; j < Pairs; j++) b[j] = fragments[j * 32];
                fragments += all_pairs * 32;
                #pragma unroll
                for (int i = 0; i < Down; i++) {
                    unsigned a[4];
                    load_matrices(a, start + P::offset(corner[i] + P::tap(ky, kx), 2 * c + lane / 16));
                    #pragma unroll
                    for (int j = 0; j < Pairs; j++) {
                        multiply_half(sum[i][2 * j], a, b[j].x, b[j].y);
                        multiply_half(sum[i][2 * j + 1], a, b[j].z, b[j].w);
                    }
                }
            }
        }
    }
}

// NaN compares false and stays.
__device__ __forceinline__ float rectified(float value) { return value < 0 ? 0.0f : value; }

// The first of the 4 channels that a lane holds of 16 (half of a chunk).
__device__ __forceinline__ int channel_of_pair(int pair) {
    return pair / 2 * 32 + threadIdx.x % 4 * 8 + pair % 2 * 4;
}

// What a lane holds of 16 channels at row `half` (0 or 1: lane / 4, or 8 further) of 16 windows, with bias, rectified.
__device__ __forceinline__ uint2 finished(const float (&low)[4], const float (&high)[4], int half, float4 bias) {
    return {
        pack_halves(rectified(low[2 * half] + bias.x), rectified(low[2 * half + 1] + bias.y)),
        pack_halves(rectified(high[2 * half] + bias.z), rectified(high[2 * half + 1] + bias.w))};
}

__device__ __forceinline__ float4 bias_of_pair(const float* __restrict__ bias, int pair) {
    return *(const float4*)(bias + channel_of_pair(pair));
}
