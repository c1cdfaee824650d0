// The last layers and both maps before scaling, in one launch: no feature reaches global memory.
//
//   local  = sum over channels of ([T | -S1] * hidden + bias)^2         teacher less the student's first half
//   global = sum over channels of ([-S2 | A] * [student's hidden | decoder] + bias)^2      autoencoder less the second half
//
// hidden [n, h, w, channels] half, the student's channels from `student` on; the taps are kernel x kernel (4 for PDN-S, 1
// for PDN-M), oh = h - kernel + 1. The decoder's last hidden map is read with 3 x 3 taps of `decoder_channels`, at any
// pitches: once as a map with a border of zeros, or with its taps laid out for each pixel. Weights are packed as
// fused_convolution.cuh says, k of the global product being the student's taps, then the decoder's.
//
// local and global [parts, n, oh, ow] float: part p sums channels 64 p .. 64 p + 63, and whoever reads adds the parts in
// order: no atomics, same bits every run. Grid: the longer local product first, for each its tiles of pixels, for each
// the tiles of channels.

#include "fused_convolution.cuh"

#if __CUDA_ARCH__ >= 800

struct Decoder {
    const half_bits* map;
    int sample, row, pixel, tap_row, tap_column, channels;  // pitches in chunks of 8 channels

    __device__ Source source() const {
        const unsigned s = sample, r = row, p = pixel, tr = tap_row, tc = tap_column;
        return {(const uint4*)map, s, r, p, tr, tc, 3, channels / StageDepth};
    }
};

template <typename T>
__device__ __forceinline__ void last(
    const half_bits* hidden, const Decoder& decoder, const half_bits* local_weights, const half_bits* global_weights,
    const float* local_bias, const float* global_bias, float* local, float* global, int n, int h, int w, int channels,
    int student, int kernel, int outputs) {
    const bool is_global = blockIdx.x >= gridDim.x / 2;
    const int block = is_global ? blockIdx.x - gridDim.x / 2 : blockIdx.x;
    const int channel_tiles = outputs / TileChannels, channel_tile = block % channel_tiles;
    const int oh = h - kernel + 1, ow = w - kernel + 1;
    const PixelRows rows{block / channel_tiles * T::Pixels, n * oh * ow, oh, ow};

    const int first_channel = is_global ? student : 0;
    const Source source = plain_source(hidden, h, w, channels, first_channel, channels - first_channel, kernel);
    Source second = decoder.source();
    if (!is_global) second.kernel = 0;
    const int stages = source.stages() + second.stages();

    Sums sums;
    start(sums, (is_global ? global_bias : local_bias) + channel_tile * TileChannels + thread_channel<T>());
    Loader<T, PixelRows> loader(
        rows, source, second,
        (const uint4*)(is_global ? global_weights : local_weights) + (size_t)channel_tile * stages * (T::WeightBytes / 16));
    accumulate(sums, loader, stages);

    const int part = channel_tile * WarpsAcross + T::warp_channel() / WarpChannels;
    float* const to = (is_global ? global : local) + (size_t)part * rows.count;
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

#define FUSED_LAST(SUFFIX, TILE)                                                                                      \
    extern "C" __global__ void __maxnreg__(216) fused_last_##SUFFIX(                                  \
        const half_bits* __restrict__ hidden, const half_bits* __restrict__ decoder, int decoder_sample,              \
        int decoder_row, int decoder_pixel, int decoder_tap_row, int decoder_tap_column, int decoder_channels,        \
        const half_bits* __restrict__ local_weights, const half_bits* __restrict__ global_weights,                    \
        const float* __restrict__ local_bias, const float* __restrict__ global_bias, float* __restrict__ local,       \
        float* __restrict__ global, int n, int h, int w, int channels, int student, int kernel, int outputs) {        \
        last<TILE>(                                                                                                   \
            hidden,                                                                                                   \
            {decoder, decoder_sample, decoder_row, decoder_pixel, decoder_tap_row, decoder_tap_column,                \
             decoder_channels},                                                                                       \
            local_weights, global_weights, local_bias, global_bias, local, global, n, h, w, channels, student,        \
            kernel, outputs);                                                                                         \
    }

FUSED_LAST(large, Large)
FUSED_LAST(medium, Medium)
FUSED_LAST(small, Small)

#endif
