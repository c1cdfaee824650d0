// What the fused convolutions of the inference engine share: an implicit matrix product of pixels and weights on tensor
// cores, for sm_80 and newer. Both are halves and sums float32, or both numbers of 8 bits (factors.cuh).
//
// Maps are [n, h, w, channels]. Rows of the product are output pixels, columns output channels, k is (source, ky, kx,
// channel) in steps of 64 bytes, 32 halves or 64 bytes: every channel count is a multiple of that, so that k has no
// tail. Rows behind the last pixel repeat it and are not stored.
//
// A block computes 64, 128 or 256 pixels x 128 channels, each warp 64 x 64. A stage in shared memory holds 64 bytes of
// k: rows whose four chunks of 16 are exchanged by (row / 2) % 4, so that neither cp.async nor ldmatrix meets a bank
// twice; the other half of a row lies at its address ^ 32. An mma takes 32 bytes of k, and its fragments are the same
// bytes whether they hold 16 halves or 32 numbers of 8 bits: only `multiply` and the epilogues know which. The host
// packs the weights as the stages want them: [channels / 128][k / stage] blocks of 8 KB, which are copied as they are.
// Their rows are permuted so that a thread ends up with eight neighbouring channels: row 8 j + 2 t + e of 64 is channel
// 32 (j / 4) + 8 t + 2 (j % 4) + e.
#pragma once

#include "common.cuh"
#include "factors.cuh"
#include "tensor_core.cuh"

constexpr int RowBytes = 64, ChunkBytes = 16, StageChunks = RowBytes / ChunkBytes, ThreadChannels = 8;
constexpr int TileChannels = 128, WarpPixels = 64, WarpChannels = 64, WarpsAcross = TileChannels / WarpChannels;

template <typename FactorType, int WarpsDown, int StageCount>
struct Tile {
    using Factor = FactorType;
    static constexpr int Pixels = WarpPixels * WarpsDown, Threads = 32 * WarpsDown * WarpsAcross, Stages = StageCount;
    static constexpr int PixelBytes = Pixels * RowBytes, WeightBytes = TileChannels * RowBytes;
    static constexpr int StageBytes = PixelBytes + WeightBytes;
    static constexpr int PixelLoads = Pixels * StageChunks / Threads;
    static constexpr int WeightLoads = TileChannels * StageChunks / Threads;

    __device__ static int warp_pixel() { return threadIdx.x / 32 / WarpsAcross * WarpPixels; }
    __device__ static int warp_channel() { return threadIdx.x / 32 % WarpsAcross * WarpChannels; }
};

// Dynamic shared memory: Stages * StageBytes. Four stages of the large tile are what sm_86 has.
template <typename Factor>
using Large = Tile<Factor, 4, 4>;  // 96 KB
template <typename Factor>
using Medium = Tile<Factor, 2, 3>;  // 48 KB
template <typename Factor>
using Small = Tile<Factor, 1, 3>;  // 36 KB

// The sums of a warp: [16 pixels each][8 channels each][as mma leaves them].
template <typename Factor>
using Sums = typename Factor::Sum[WarpPixels / 16][WarpChannels / 8][4];

// Where the pixels of one factor lie. Pitches are in chunks of 16 bytes.
struct Source {
    const uint4* map;              // at its first channel
    unsigned sample, row, pixel;   // pitches of the output's pixels
    unsigned tap_row, tap_column;  // pitches of the taps
    int kernel, tap_stages;        // taps in each direction; stages of a tap

    __device__ int stages() const { return kernel * kernel * tap_stages; }
};

// A map whose pixels lie one behind the other, from one of its channels on.
template <typename Value>
__device__ __forceinline__ Source plain_source(
    const Value* map, int h, int w, int channels, int first_channel, int read_channels, int kernel) {
    constexpr int chunk = ChunkBytes / sizeof(Value);
    const unsigned pixel = channels / chunk, row = w * pixel;
    const int tap_stages = read_channels / chunk / StageChunks;
    return {(const uint4*)(map + first_channel), h * row, row, pixel, row, pixel, kernel, tap_stages};
}

// What row `row` of a block's tile is: the pixels one after another.
struct PixelRows {
    int first, count, h, w;  // of the block; n * h * w; of the output

    __device__ unsigned offset(int row, const Source& source) const {
        const unsigned pixel = min(first + row, count - 1), plane = h * w;
        return pixel / plane * source.sample + pixel % plane / w * source.row + pixel % w * source.pixel;
    }
};

// The same where 2 x 2 pixels are averaged: eight windows take 32 rows, eight for each corner. The four values of a
// window then lie in one thread: even and odd columns in the two halves of an mma's rows, even and odd rows in two mma.
// A last odd column or row of pixels belongs to no window.
struct WindowRows {
    int first, count, h, w;  // of the block; n * h * w; of the windows

    __device__ unsigned offset(int row, const Source& source) const {
        const unsigned window = min(first + row / 32 * 8 + row % 8, count - 1), plane = h * w;
        const unsigned y = window % plane / w * 2 + row / 16 % 2, x = window % w * 2 + row / 8 % 2;
        return window / plane * source.sample + y * source.row + x * source.pixel;
    }
};

// Copies stage after stage; a thread brings chunk threadIdx.x % 4 of a few pixels, and a piece of the weights.
template <typename T, typename Rows>
struct Loader {
    const Rows rows;
    const Source second;  // follows the first one; without taps if there is none
    const uint4 *map, *weights;
    unsigned pixels[T::PixelLoads];
    unsigned row_step, column_step;
    int kernel, tap_stages, rows_left, columns_left, stages_left;
    bool is_second = false;

    __device__ Loader(const Rows& rows, const Source& first, const Source& second, const uint4* weights)
        : rows(rows), second(second), weights(weights + threadIdx.x) {
        open(first);
    }

    __device__ void open(const Source& source) {
        map = source.map + threadIdx.x % StageChunks;
        #pragma unroll
        for (int i = 0; i < T::PixelLoads; i++)
            pixels[i] = rows.offset(threadIdx.x / StageChunks + i * (T::Threads / StageChunks), source);
        kernel = rows_left = columns_left = source.kernel, tap_stages = stages_left = source.tap_stages;
        column_step = source.tap_column - tap_stages * StageChunks;
        row_step = source.tap_row - kernel * source.tap_column;
    }

    // To a stage that starts at a shared address.
    __device__ void load(unsigned stage) {
        const int row = threadIdx.x / StageChunks, chunk = threadIdx.x % StageChunks ^ row / 2 % 4;
        constexpr int step = T::Threads / StageChunks * RowBytes;
        #pragma unroll
        for (int i = 0; i < T::PixelLoads; i++)
            copy_async_16(stage + row * RowBytes + chunk * 16 + i * step, map + pixels[i]);
        #pragma unroll
        for (int i = 0; i < T::WeightLoads; i++)
            copy_async_16(stage + T::PixelBytes + (threadIdx.x + i * T::Threads) * 16, weights + i * T::Threads);
        weights += T::WeightBytes / 16;
        map += StageChunks;
        if (--stages_left == 0) next_tap();
    }

    __device__ void next_tap() {
        stages_left = tap_stages, map += column_step;
        if (--columns_left > 0) return;
        columns_left = kernel, map += row_step;
        if (--rows_left > 0 || second.kernel == 0 || is_second) return;
        is_second = true;
        open(second);
    }
};

template <typename Factor>
__device__ __forceinline__ void multiply(Sums<Factor>& sums, unsigned pixels, unsigned weights) {
    #pragma unroll
    for (int half = 0; half < RowBytes; half += RowBytes / 2) {
        unsigned a[WarpPixels / 16][4], b[WarpChannels / 16][4];
        #pragma unroll
        for (int i = 0; i < WarpPixels / 16; i++) load_matrices(a[i], (pixels ^ half) + i * 16 * RowBytes);
        #pragma unroll
        for (int j = 0; j < WarpChannels / 16; j++) load_matrices(b[j], (weights ^ half) + j * 16 * RowBytes);
        #pragma unroll
        for (int i = 0; i < WarpPixels / 16; i++)
            #pragma unroll
            for (int j = 0; j < WarpChannels / 8; j++)
                Factor::multiply(sums[i][j], a[i], b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1]);
    }
}

// sums += pixels x weights over `stages` stages, of which Stages - 1 are under way while one is multiplied.
template <typename T, typename Rows>
__device__ __forceinline__ void accumulate(Sums<typename T::Factor>& sums, Loader<T, Rows>& loader, int stages) {
    extern __shared__ __align__(128) unsigned char shared[];
    const unsigned first = shared_address(shared);
    constexpr unsigned last = (T::Stages - 1) * T::StageBytes;
    #pragma unroll 1
    for (unsigned stage = 0; stage < last; stage += T::StageBytes) {
        if (stage < stages * T::StageBytes) loader.load(first + stage);
        commit_copies();
    }

    // The rows whose addresses this lane gives to ldmatrix: 16 pixels, then the other 16 bytes of k; 8 channels, the
    // other 16 bytes of k, the next 8 channels.
    const int lane = threadIdx.x % 32, pixel = lane % 16, channel = lane % 8 + lane / 16 * 8;
    const unsigned pixels = first + (T::warp_pixel() + pixel) * RowBytes + (lane / 16 ^ pixel / 2 % 4) * 16;
    const unsigned weights = first + T::PixelBytes + (T::warp_channel() + channel) * RowBytes
        + (lane / 8 % 2 ^ channel / 2 % 4) * 16;
    unsigned read = 0, written = last;
    #pragma unroll 1
    for (int left = stages; left > 0; left--) {
        wait_for_copies<T::Stages - 2>();
        __syncthreads();  // this stage has come for all threads, and nobody reads the one before any more
        if (left >= T::Stages) loader.load(first + written);
        commit_copies();
        multiply<typename T::Factor>(sums, pixels + read, weights + read);
        written = read;
        read = read == last ? 0 : read + T::StageBytes;
    }
}

// The first channel that this thread computes; then come seven more, and 32 channels later another eight.
template <typename T>
__device__ __forceinline__ int thread_channel() { return T::warp_channel() + threadIdx.x % 4 * ThreadChannels; }

// The channel, behind the thread's first one, of number `pair` of eight pairs of neighbours.
__device__ __forceinline__ constexpr int pair_channel(int pair) { return pair / 4 * 32 + pair % 4 * 2; }

// Sums before the first product.
template <typename Factor>
__device__ __forceinline__ void start(Sums<Factor>& sums, const typename Factor::Scale* scale) {
    #pragma unroll
    for (int j = 0; j < WarpChannels / 8; j++) {
        typename Factor::Sum pair[2];
        Factor::start(pair, scale + pair_channel(j));
        #pragma unroll
        for (int i = 0; i < WarpPixels / 16; i++)
            sums[i][j][0] = sums[i][j][2] = pair[0], sums[i][j][1] = sums[i][j][3] = pair[1];
    }
}

// Stores 16 channels, value(pair, which) each, for a pixel whose first of them lies at `to`.
template <typename Output, typename F>
__device__ __forceinline__ void store_pixel(typename Output::Value* to, F value) {
    #pragma unroll
    for (int first = 0; first < 8; first += 4)
        Output::store(to + pair_channel(first), [&](int pair, int which) { return value(first + pair, which); });
}
