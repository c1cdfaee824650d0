// A hidden layer of teacher and student in one launch: convolution, ReLU and, if asked for, the 2 x 2 average pool.
//
// input [n, h, w, 2 ci] x weights (packed, see fused_convolution.cuh), and the scale [co] of the outputs
// (factors.cuh) -> output [n, oh, ow, co], oh = h - kernel + 1, halved when pooled; output channels below `teacher`
// read the first ci input channels, the others the last: two groups. ci is a multiple of a stage, co and `teacher` of
// 128.
//
// Grid: for every tile of pixels (or of pooling windows) the tiles of channels, which share the pixels in the L2 cache.
// Bound by tensor cores for the large tile, which moves 85 FLOP per byte from the L2 cache, twice that with numbers of
// 8 bits; small ones fill a device that a batch of one leaves idle.
#pragma once

#include "fused_convolution.cuh"

template <typename T, typename Rows>
__device__ __forceinline__ void convolve(
    Sums<typename T::Factor>& sums, const Rows& rows, const typename T::Factor::Value* input, const uint4* weights,
    const typename T::Factor::Scale* scale, int h, int w, int ci, int teacher, int kernel, int first_channel) {
    const Source source = plain_source(input, h, w, 2 * ci, first_channel < teacher ? 0 : ci, ci, kernel);
    const int stages = source.stages();
    start<typename T::Factor>(sums, scale);
    Loader<T, Rows> loader(
        rows, source, Source(), weights + (size_t)(first_channel / TileChannels) * stages * (T::WeightBytes / 16));
    accumulate(sums, loader, stages);
}

template <typename T, typename Output>
__device__ __forceinline__ void forward(
    const typename T::Factor::Value* input, const uint4* weights, const typename T::Factor::Scale* scale,
    typename Output::Value* output, int n, int h, int w, int ci, int teacher, int co, int kernel) {
    using Factor = typename T::Factor;
    const int channel_tiles = co / TileChannels, first_channel = blockIdx.x % channel_tiles * TileChannels;
    const int oh = h - kernel + 1, ow = w - kernel + 1;
    const PixelRows rows{(int)(blockIdx.x / channel_tiles) * T::Pixels, n * oh * ow, oh, ow};
    scale += first_channel + thread_channel<T>();
    Sums<Factor> sums;
    convolve<T>(sums, rows, input, weights, scale, h, w, ci, teacher, kernel, first_channel);

    typename Output::Value* const to = output + first_channel + thread_channel<T>();
    #pragma unroll
    for (int i = 0; i < WarpPixels / 8; i++) {
        const int pixel = rows.first + T::warp_pixel() + 8 * i + threadIdx.x % 32 / 4;
        if (pixel < rows.count)
            store_pixel<Output>(to + (size_t)pixel * co, [&](int pair, int which) {
                const typename Factor::Sum sum = sums[i / 2][pair][i % 2 * 2 + which];
                return rectify(Factor::finish(sum, scale + pair_channel(pair) + which));
            });
    }
}

template <typename T, typename Output>
__device__ __forceinline__ void forward_pooled(
    const typename T::Factor::Value* input, const uint4* weights, const typename T::Factor::Scale* scale,
    typename Output::Value* output, int n, int h, int w, int ci, int teacher, int co, int kernel) {
    using Factor = typename T::Factor;
    const int channel_tiles = co / TileChannels, first_channel = blockIdx.x % channel_tiles * TileChannels;
    const int oh = (h - kernel + 1) / 2, ow = (w - kernel + 1) / 2;
    const WindowRows rows{(int)(blockIdx.x / channel_tiles) * (T::Pixels / 4), n * oh * ow, oh, ow};
    scale += first_channel + thread_channel<T>();
    Sums<Factor> sums;
    convolve<T>(sums, rows, input, weights, scale, h, w, ci, teacher, kernel, first_channel);

    typename Output::Value* const to = output + first_channel + thread_channel<T>();
    #pragma unroll
    for (int i = 0; i < WarpPixels / 32; i++) {
        const int window = rows.first + T::warp_pixel() / 4 + 8 * i + threadIdx.x % 32 / 4;
        if (window < rows.count)
            store_pixel<Output>(to + (size_t)window * co, [&](int pair, int which) {
                const typename Factor::Sum* const upper = sums[2 * i][pair] + which;
                const typename Factor::Sum* const lower = sums[2 * i + 1][pair] + which;
                const auto value = [&](typename Factor::Sum sum) {
                    return rectify(Factor::finish(sum, scale + pair_channel(pair) + which));
                };
                return 0.25f * ((value(upper[0]) + value(upper[2])) + (value(lower[0]) + value(lower[2])));
            });
    }
}

#define FUSED_HIDDEN(NAME, FORWARD, FACTOR, OUTPUT, TILE)                                                             \
    extern "C" __global__ void __maxnreg__(216) NAME(                                                                 \
        const FACTOR::Value* __restrict__ input, const uint4* __restrict__ weights,                                   \
        const FACTOR::Scale* __restrict__ scale, OUTPUT::Value* __restrict__ output, int n, int h, int w, int ci,     \
        int teacher, int co, int kernel) {                                                                            \
        FORWARD<TILE<FACTOR>, OUTPUT>(input, weights, scale, output, n, h, w, ci, teacher, co, kernel);               \
    }
