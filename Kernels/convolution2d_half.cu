// Forward convolution for inference: half-precision factors on tensor cores (mma.sync), float sums.
//
// input [n, h, w, ci'] half x weights [co, k] half + bias [co] -> output [n, co, oh, ow] float, or [n, oh, ow, co']
// half; ci' and co' are padded with zeros to a multiple of 8, so that a copy of 16 bytes holds 8 channels of one pixel;
// k is (ky, kx, ci'), padded with zeros to a multiple of 32. Rows of the product are output pixels, columns output
// channels.
//
// Three stages of 32 k: 64-byte rows whose four chunks are exchanged by (row / 2) % 4, so that neither cp.async nor
// ldmatrix meets a bank twice. k may be split over grid y as for float32. The layouts around it are memory bound.

#include "convolution2d.cuh"

constexpr int StageDepth = 32, Chunk = 8, Stages = 3;

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
    int n, ci, h, w, co, oh, ow, kh, kw, stride, padding;  // ci is padded
    int pitch;                                             // channels from pixel to pixel: ci, or more to take a part

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
            top[i] = pixel % plane / p.ow * p.stride - p.padding, left[i] = pixel % p.ow * p.stride - p.padding;
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
            {input, weights, n, ci, h, w, co, oh, ow, kh, kw, stride, padding, input_pitch}, bias, planes, pixels,    \
            pixel_pitch, relu != 0);                                                                                  \
    }

CONVOLUTION2D_HALF(large, Large)
CONVOLUTION2D_HALF(medium, Medium)

// ---- layouts

// planes [n, c, plane] float -> pixels [n, plane, c'] half, zeros behind the last channel. Blocks of 32 x 8 threads
// turn 64 channels x 32 pixels around; grid: pixels, channels, samples.
extern "C" __global__ void convolution2d_half_from_planes(
    const float* __restrict__ planes, half_bits* __restrict__ pixels, int c, int plane) {
    __shared__ float tile[64][33];
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
            pack_halves(tile[channel][i], tile[channel + 1][i]);
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
