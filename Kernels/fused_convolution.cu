// A hidden layer of teacher and student in one launch: convolution, bias, ReLU and, if asked for, the 2 x 2 average pool.
//
// input [n, h, w, 2 ci] half x weights (packed, see fused_convolution.cuh) + bias [co] -> output [n, oh, ow, co] half,
// oh = h - kernel + 1, halved when pooled; output channels below `teacher` read the first ci input channels, the others
// the last: two groups. ci is a multiple of 32, co and `teacher` of 128.
//
// Grid: for every tile of pixels (or of pooling windows) the tiles of channels, which share the pixels in the L2 cache.
// Bound by tensor cores for the large tile, which moves 85 FLOP per byte from the L2 cache; small ones fill a device
// that a batch of one leaves idle.

#include "fused_convolution.cuh"

#if __CUDA_ARCH__ >= 800

template <typename T, typename Rows>
__device__ __forceinline__ void convolve(
    Sums& sums, const Rows& rows, const half_bits* input, const half_bits* weights, const float* bias, int h, int w,
    int ci, int teacher, int kernel, int first_channel) {
    const Source source = plain_source(input, h, w, 2 * ci, first_channel < teacher ? 0 : ci, ci, kernel);
    const int stages = source.stages();
    start(sums, bias + first_channel + thread_channel<T>());
    Loader<T, Rows> loader(
        rows, source, Source(), (const uint4*)weights + (size_t)(first_channel / TileChannels) * stages * (T::WeightBytes / 16));
    accumulate(sums, loader, stages);
}

template <typename T>
__device__ __forceinline__ void forward(
    const half_bits* input, const half_bits* weights, const float* bias, half_bits* output, int n, int h, int w, int ci,
    int teacher, int co, int kernel) {
    const int channel_tiles = co / TileChannels, first_channel = blockIdx.x % channel_tiles * TileChannels;
    const int oh = h - kernel + 1, ow = w - kernel + 1;
    const PixelRows rows{(int)(blockIdx.x / channel_tiles) * T::Pixels, n * oh * ow, oh, ow};
    Sums sums;
    convolve<T>(sums, rows, input, weights, bias, h, w, ci, teacher, kernel, first_channel);

    half_bits* const to = output + first_channel + thread_channel<T>();
    #pragma unroll
    for (int i = 0; i < WarpPixels / 8; i++) {
        const int pixel = rows.first + T::warp_pixel() + 8 * i + threadIdx.x % 32 / 4;
        if (pixel < rows.count)
            store_pixel(to + (size_t)pixel * co, [&](int pair, int which) {
                return rectify(sums[i / 2][pair][i % 2 * 2 + which]);
            });
    }
}

template <typename T>
__device__ __forceinline__ void forward_pooled(
    const half_bits* input, const half_bits* weights, const float* bias, half_bits* output, int n, int h, int w, int ci,
    int teacher, int co, int kernel) {
    const int channel_tiles = co / TileChannels, first_channel = blockIdx.x % channel_tiles * TileChannels;
    const int oh = (h - kernel + 1) / 2, ow = (w - kernel + 1) / 2;
    const WindowRows rows{(int)(blockIdx.x / channel_tiles) * (T::Pixels / 4), n * oh * ow, oh, ow};
    Sums sums;
    convolve<T>(sums, rows, input, weights, bias, h, w, ci, teacher, kernel, first_channel);

    half_bits* const to = output + first_channel + thread_channel<T>();
    #pragma unroll
    for (int i = 0; i < WarpPixels / 32; i++) {
        const int window = rows.first + T::warp_pixel() / 4 + 8 * i + threadIdx.x % 32 / 4;
        if (window < rows.count)
            store_pixel(to + (size_t)window * co, [&](int pair, int which) {
                const float* const upper = sums[2 * i][pair] + which;
                const float* const lower = sums[2 * i + 1][pair] + which;
                return 0.25f * ((rectify(upper[0]) + rectify(upper[2])) + (rectify(lower[0]) + rectify(lower[2])));
            });
    }
}

#define FUSED_CONVOLUTION(SUFFIX, TILE)                                                                               \
    extern "C" __global__ void __maxnreg__(216) fused_convolution_relu_##SUFFIX(                      \
        const half_bits* __restrict__ input, const half_bits* __restrict__ weights, const float* __restrict__ bias,   \
        half_bits* __restrict__ output, int n, int h, int w, int ci, int teacher, int co, int kernel) {               \
        forward<TILE>(input, weights, bias, output, n, h, w, ci, teacher, co, kernel);                                \
    }                                                                                                                 \
    extern "C" __global__ void __maxnreg__(216) fused_convolution_pool_##SUFFIX(                      \
        const half_bits* __restrict__ input, const half_bits* __restrict__ weights, const float* __restrict__ bias,   \
        half_bits* __restrict__ output, int n, int h, int w, int ci, int teacher, int co, int kernel) {               \
        forward_pooled<TILE>(input, weights, bias, output, n, h, w, ci, teacher, co, kernel);                         \
    }

FUSED_CONVOLUTION(large, Large)
FUSED_CONVOLUTION(medium, Medium)
FUSED_CONVOLUTION(small, Small)

#endif
