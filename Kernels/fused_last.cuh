// The last layers and both maps before scaling, in one launch: no feature reaches global memory.
//
//   local  = sum over channels of ([T | -S1] * hidden + bias)^2
//   global = sum over channels of ([-S2 | A] * [student's hidden | decoder] + bias)^2
//
// T is the teacher, S1 and S2 are the halves of the student, A is the autoencoder.
//
// hidden [n, h, w, channels], the student's channels from `student` on; the taps are kernel x kernel (4 for PDN-S, 1
// for PDN-M), oh = h - kernel + 1. The decoder's last hidden map is read with 3 x 3 taps of `decoder_channels`, at any
// pitches: once as a map with a border of zeros, or with its taps laid out for each pixel. Weights are packed as
// fused_convolution.cuh says, k of the global product being the student's taps, then the decoder's.
//
// A hidden map of 8 bits has weights of 8 bits, and those of the decoder, which stays half, lie apart: the global
// product is then two, one after the other, into the same sums.
//
// local and global [parts, n, oh, ow] float: part p sums channels 64 p .. 64 p + 63, and whoever reads adds the parts
// in order: no atomics, same bits every run. Grid: the longer local product first, for each its tiles of pixels, for
// each the tiles of channels.

#pragma once

#include "fused_convolution.cuh"

struct Decoder {
    const half_bits* map;
    int sample, row, pixel, tap_row, tap_column, channels;  // pitches in chunks of 8 channels

    __device__ Source source() const {
        const unsigned s = sample, r = row, p = pixel, tr = tap_row, tc = tap_column;
        return {(const uint4*)map, s, r, p, tr, tc, 3, channels / 8 / StageChunks};
    }
};

// What a block computes.
template <typename T>
struct Part {
    bool is_global;
    int channel_tile, channel;  // the latter is this thread's first
    PixelRows rows;

    __device__ Part(int n, int h, int w, int kernel, int outputs) {
        is_global = blockIdx.x >= gridDim.x / 2;
        const int block = is_global ? blockIdx.x - gridDim.x / 2 : blockIdx.x, channel_tiles = outputs / TileChannels;
        const int oh = h - kernel + 1, ow = w - kernel + 1;
        channel_tile = block % channel_tiles;
        channel = channel_tile * TileChannels + thread_channel<T>();
        rows = {block / channel_tiles * T::Pixels, n * oh * ow, oh, ow};
    }

    // The weights of this block's channels in a product of so many stages.
    __device__ const uint4* weights(const uint4* all, int stages) const {
        return all + (size_t)channel_tile * stages * (T::WeightBytes / 16);
    }

    __device__ void store_squares(const Sums<Halves>& sums, float* map) const {
        const int part = channel_tile * WarpsAcross + T::warp_channel() / WarpChannels;
        float* const to = map + (size_t)part * rows.count;
        #pragma unroll
        for (int i = 0; i < WarpPixels / 8; i++) {
            float square = 0;
            #pragma unroll
            for (int j = 0; j < WarpChannels / 8; j++)
                #pragma unroll
                for (int which = 0; which < 2; which++) {
                    const float value = sums[i / 2][j][i % 2 * 2 + which];
                    square = fmaf(value, value, square);
                }
            square += __shfl_xor_sync(~0u, square, 1);
            square += __shfl_xor_sync(~0u, square, 2);
            const int pixel = rows.first + T::warp_pixel() + 8 * i + threadIdx.x % 32 / 4;
            if (threadIdx.x % 4 == 0 && pixel < rows.count) to[pixel] = square;
        }
    }
};

template <typename T>
__device__ __forceinline__ void last(
    const half_bits* hidden, const Decoder& decoder, const uint4* local_weights, const uint4* global_weights,
    const float* local_bias, const float* global_bias, float* local, float* global, int n, int h, int w, int channels,
    int student, int kernel, int outputs) {
    const Part<T> part(n, h, w, kernel, outputs);
    const int first_channel = part.is_global ? student : 0;
    const Source source = plain_source(hidden, h, w, channels, first_channel, channels - first_channel, kernel);
    Source second = decoder.source();
    if (!part.is_global) second.kernel = 0;
    const int stages = source.stages() + second.stages();

    Sums<Halves> sums;
    start<Halves>(sums, (part.is_global ? global_bias : local_bias) + part.channel);
    Loader<T, PixelRows> loader(
        part.rows, source, second, part.weights(part.is_global ? global_weights : local_weights, stages));
    accumulate(sums, loader, stages);
    part.store_squares(sums, part.is_global ? global : local);
}

template <typename T>
__device__ __forceinline__ void last_of_bytes(
    const typename T::Factor::Value* hidden, const Decoder& decoder, const uint4* local_weights,
    const uint4* global_weights, const uint4* decoder_weights, const float2* local_scale, const float2* global_scale,
    float* local, float* global, int n, int h, int w, int channels, int student, int kernel, int outputs) {
    using Factor = typename T::Factor;
    using HalfTile = Tile<Halves, T::Pixels / WarpPixels, T::Stages>;
    const Part<T> part(n, h, w, kernel, outputs);
    const int first_channel = part.is_global ? student : 0;
    const Source source = plain_source(hidden, h, w, channels, first_channel, channels - first_channel, kernel);
    const float2* const scale = (part.is_global ? global_scale : local_scale) + part.channel;

    Sums<Factor> products;
    start<Factor>(products, scale);
    const uint4* const weights = part.weights(part.is_global ? global_weights : local_weights, source.stages());
    Loader<T, PixelRows> loader(part.rows, source, Source(), weights);
    accumulate(products, loader, source.stages());

    Sums<Halves> sums;
    #pragma unroll
    for (int i = 0; i < WarpPixels / 16; i++)
        #pragma unroll
        for (int j = 0; j < WarpChannels / 8; j++)
            #pragma unroll
            for (int e = 0; e < 4; e++)
                sums[i][j][e] = Factor::finish(products[i][j][e], scale + pair_channel(j) + e % 2);
    if (part.is_global) {
        __syncthreads();  // nobody reads the last stage any more
        const Source second = decoder.source();
        Loader<HalfTile, PixelRows> more(part.rows, second, Source(), part.weights(decoder_weights, second.stages()));
        accumulate(sums, more, second.stages());
    }

    part.store_squares(sums, part.is_global ? global : local);
}

#define FUSED_LAST_DECODER                                                                                            \
    const half_bits *__restrict__ decoder, int decoder_sample, int decoder_row, int decoder_pixel,                    \
        int decoder_tap_row, int decoder_tap_column, int decoder_channels

#define FUSED_LAST(NAME, TILE)                                                                                        \
    extern "C" __global__ void __maxnreg__(216) NAME(                                                                 \
        const half_bits* __restrict__ hidden, FUSED_LAST_DECODER, const uint4* __restrict__ local_weights,            \
        const uint4* __restrict__ global_weights, const float* __restrict__ local_bias,                               \
        const float* __restrict__ global_bias, float* __restrict__ local, float* __restrict__ global, int n, int h,   \
        int w, int channels, int student, int kernel, int outputs) {                                                  \
        last<TILE<Halves>>(                                                                                           \
            hidden,                                                                                                   \
            {decoder, decoder_sample, decoder_row, decoder_pixel, decoder_tap_row, decoder_tap_column,                \
             decoder_channels},                                                                                       \
            local_weights, global_weights, local_bias, global_bias, local, global, n, h, w, channels, student,        \
            kernel, outputs);                                                                                         \
    }

#define FUSED_LAST_OF_BYTES(NAME, FACTOR, TILE)                                                                       \
    extern "C" __global__ void __maxnreg__(216) NAME(                                                                 \
        const FACTOR::Value* __restrict__ hidden, FUSED_LAST_DECODER, const uint4* __restrict__ local_weights,        \
        const uint4* __restrict__ global_weights, const uint4* __restrict__ decoder_weights,                          \
        const float2* __restrict__ local_scale, const float2* __restrict__ global_scale, float* __restrict__ local,   \
        float* __restrict__ global, int n, int h, int w, int channels, int student, int kernel, int outputs) {        \
        last_of_bytes<TILE<FACTOR>>(                                                                                  \
            hidden,                                                                                                   \
            {decoder, decoder_sample, decoder_row, decoder_pixel, decoder_tap_row, decoder_tap_column,                \
             decoder_channels},                                                                                       \
            local_weights, global_weights, decoder_weights, local_scale, global_scale, local, global, n, h, w,        \
            channels, student, kernel, outputs);                                                                      \
    }
