// Gradients of a convolution for training in mixed precision: half-precision factors on tensor cores (mma.sync), sums
// and results in float32.
//
// input gradient   output_gradient [n, oh, ow, co'] half x turned weights [ci, (ky, kx, co')] half
//                  -> gradient [n, ci, h, w], accumulated; stride 1: the forward product with the kernel turned around
// weight gradient  gradient[co, (tap, ci')] = sum over pixels of output_gradient[pixel, co] input[pixel + tap, ci']
//                  -> parts [splits, co, taps, ci'], which convolution2d_half_add_weights adds to [co, ci, taps]
//
// Output gradients come scaled by a power of two (convolution2d_half.cuh), found from their largest magnitude; results
// are scaled back: the same bits whatever the loss is multiplied with, and no scale that a step could overflow.
// Weight gradient: k is the pixels, in three stages of 32. A stage's rows are pixels, so that both factors are copied
// along memory and ldmatrix transposes them; chunks of 16 bytes are exchanged by row % 8, conflict-free.

#include "convolution2d_half.cuh"
#include "reduction.cuh"

// ---- input gradient

template <typename T>
__device__ __forceinline__ void input_gradient(const Problem& p, const unsigned* largest, float* planes, bool add) {
    const int channel_tiles = (p.co + T::Channels - 1) / T::Channels;  // neighbouring blocks share their pixels
    const int first_channel = blockIdx.x % channel_tiles * T::Channels;
    const int first_pixel = blockIdx.x / channel_tiles * T::Pixels;
    float sum[T::Down][T::Across][4] = {};
    convolve<T>(sum, p, first_pixel, first_channel);

    const float unscale = unscale_of(*largest);
    const int plane = p.oh * p.ow;
    planes += (long long)blockIdx.y * p.n * p.co * plane;
    for_each_pair<T>(sum, first_pixel, first_channel, [&](int pixel, int channel, float low, float high) {
        if (pixel >= p.n * plane) return;
        float* to = planes + ((long long)(pixel / plane) * p.co + channel) * plane + pixel % plane;
        if (channel < p.co) to[0] = low * unscale + (add ? to[0] : 0.0f);
        if (channel + 1 < p.co) to[plane] = high * unscale + (add ? to[plane] : 0.0f);
    });
}

// ---- weight gradient

struct PixelProblem {
    const half_bits *gradient, *input;  // [n, oh, ow, co'], [n, h, w, ci']
    int n, ci, h, w, co, oh, ow, kh, kw, stride, padding;  // both padded
};

template <typename T>
struct PixelStage { half_bits gradient[StageDepth * T::Pixels], input[StageDepth * T::Channels]; };

template <int Width>
__device__ __forceinline__ int pixel_offset(int row, int chunk) { return row * Width + (chunk ^ row % 8) * Chunk; }

// The chunks that one thread copies: one place in the rows of two pixels of every stage.
template <typename T>
struct PixelLoader {
    static constexpr int Chunks = T::Pixels / Chunk, Rows = T::Threads / Chunks;
    static_assert(Rows * T::Loads == StageDepth, "a thread copies two chunks of each matrix per stage");

    const PixelProblem& p;
    int chunk, row, ky, kx, channel, n[T::Loads], y[T::Loads], x[T::Loads];
    bool row_valid, column_valid;

    __device__ PixelLoader(const PixelProblem& problem, int first_row, int first_column, int first_k) : p(problem) {
        chunk = threadIdx.x % Chunks, row = first_row + chunk * Chunk, row_valid = row < p.co;
        const int column = first_column + chunk * Chunk, tap = column / p.ci;
        channel = column % p.ci, ky = tap / p.kw, kx = tap % p.kw, column_valid = ky < p.kh;
        #pragma unroll
        for (int i = 0; i < T::Loads; i++) {
            const int k = first_k + threadIdx.x / Chunks + i * Rows;
            n[i] = k / (p.oh * p.ow), y[i] = k / p.ow % p.oh, x[i] = k % p.ow;
        }
    }

    __device__ void load(PixelStage<T>& stage) {
        #pragma unroll
        for (int i = 0; i < T::Loads; i++) {
            const int to = pixel_offset<T::Pixels>(threadIdx.x / Chunks + i * Rows, chunk);
            const int top = y[i] * p.stride - p.padding + ky, left = x[i] * p.stride - p.padding + kx;
            const long long from = ((long long)n[i] * p.oh + y[i]) * p.ow + x[i];
            const long long under = ((long long)n[i] * p.h + top) * p.w + left;
            const bool valid = n[i] < p.n;
            copy_async_16(&stage.gradient[to], p.gradient + (from * p.co + row), valid && row_valid);
            copy_async_16(
                &stage.input[to], p.input + (under * p.ci + channel),
                valid && column_valid && lies_inside(top, left, p.h, p.w));
            for (x[i] += StageDepth; x[i] >= p.ow; x[i] -= p.ow)
                if (++y[i] == p.oh) { y[i] = 0; n[i]++; }
        }
    }
};

// As load_matrices, each matrix transposed.
__device__ __forceinline__ void load_transposed(unsigned (&matrices)[4], unsigned address) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(matrices[0]), "=r"(matrices[1]), "=r"(matrices[2]), "=r"(matrices[3])
                 : "r"(address) : "memory");
}

template <typename T>
__device__ __forceinline__ void multiply_pixels(float (&sum)[T::Down][T::Across][4], const PixelStage<T>& stage) {
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, matrix = lane / 8;
    const int row = warp % T::WarpsDown * T::WarpPixels / Chunk, column = warp / T::WarpsDown * T::WarpChannels / Chunk;
    #pragma unroll
    for (int k = 0; k < StageDepth; k += 16) {
        unsigned a[T::Down][4], b[T::Across / 2][4];
        #pragma unroll
        for (int i = 0; i < T::Down; i++) {
            const int pixel = k + lane % 8 + matrix / 2 * 8, chunk = row + 2 * i + matrix % 2;
            load_transposed(a[i], shared_address(&stage.gradient[pixel_offset<T::Pixels>(pixel, chunk)]));
        }
        #pragma unroll
        for (int j = 0; j < T::Across / 2; j++) {
            const int pixel = k + lane % 8 + matrix % 2 * 8, chunk = column + 2 * j + matrix / 2;
            load_transposed(b[j], shared_address(&stage.input[pixel_offset<T::Channels>(pixel, chunk)]));
        }
        #pragma unroll
        for (int i = 0; i < T::Down; i++)
            #pragma unroll
            for (int j = 0; j < T::Across; j++)
                multiply_half(sum[i][j], a[i], b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1]);
    }
}

template <typename T>
__device__ __forceinline__ void weight_gradient(
    const PixelProblem& p, int rows, const unsigned* largest, float* parts) {
    __shared__ __align__(128) PixelStage<T> buffer[Stages];
    const int row_tiles = (rows + T::Pixels - 1) / T::Pixels, columns = p.kh * p.kw * p.ci;
    const int first_row = blockIdx.x % row_tiles * T::Pixels, first_column = blockIdx.x / row_tiles * T::Channels;
    const int all = (p.n * p.oh * p.ow + StageDepth - 1) / StageDepth;
    const int first = (long long)all * blockIdx.y / gridDim.y, end = (long long)all * (blockIdx.y + 1) / gridDim.y;
    float sum[T::Down][T::Across][4] = {};
    PixelLoader<T> loader(p, first_row, first_column, first * StageDepth);
    pipeline(
        buffer, end - first, [&](PixelStage<T>& stage) { loader.load(stage); },
        [&](const PixelStage<T>& stage) { multiply_pixels<T>(sum, stage); });

    const float unscale = unscale_of(*largest);
    parts += (long long)blockIdx.y * rows * columns;
    for_each_pair<T>(sum, first_row, first_column, [&](int row, int column, float low, float high) {
        if (row < rows && column < columns)
            *(float2*)(parts + ((long long)row * columns + column)) = make_float2(low * unscale, high * unscale);
    });
}

// ---- kernels by tile

// `ci` and `co` are those of the convolution whose gradients these are. With a split of k the input gradient is not
// accumulated but goes to [splits, n, ci, h, w].
#define CONVOLUTION2D_HALF_GRADIENT(SUFFIX, TILE)                                                                      \
    extern "C" __global__ void __launch_bounds__(TILE::Threads) convolution2d_input_gradient_half_##SUFFIX(            \
        const half_bits* __restrict__ output_gradient, const half_bits* __restrict__ weights,                          \
        const unsigned* __restrict__ largest, float* __restrict__ gradient, int n, int ci, int h, int w, int co,       \
        int oh, int ow, int kh, int kw, int padding, int add) {                                                        \
        const int stored = (co + 7) & ~7;                                                                              \
        input_gradient<TILE>(                                                                                          \
            {output_gradient, weights, n, stored, oh, ow, ci, h, w, kh, kw, 1, kh - 1 - padding, kw - 1 - padding,     \
             stored},                                                                                                  \
            largest, gradient, add != 0);                                                                              \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(TILE::Threads) convolution2d_weight_gradient_half_##SUFFIX(           \
        const half_bits* __restrict__ output_gradient, const half_bits* __restrict__ input,                            \
        const unsigned* __restrict__ largest, float* __restrict__ parts, int n, int ci, int h, int w, int co, int oh,  \
        int ow, int kh, int kw, int stride, int padding) {                                                             \
        weight_gradient<TILE>(                                                                                         \
            {output_gradient, input, n, (ci + 7) & ~7, h, w, (co + 7) & ~7, oh, ow, kh, kw, stride, padding}, co,      \
            largest, parts);                                                                                           \
    }

CONVOLUTION2D_HALF_GRADIENT(large, Large)
CONVOLUTION2D_HALF_GRADIENT(medium, Medium)

// ---- around them

// values [count] -> largest [1], raised to the bits of the largest magnitude; infinity and NaN are above all numbers.
// The order does not matter.
extern "C" __global__ void convolution2d_half_largest(
    const float* __restrict__ values, long long count, unsigned* __restrict__ largest) {
    float most = 0;
    for (long long i = global_thread_index(); i < count; i += grid_threads()) most = nan_max(most, fabsf(values[i]));
    most = block_nan_max(most);
    if (threadIdx.x == 0) atomicMax(largest, __float_as_uint(most) & 0x7FFFFFFFu);
}

// weights [co, ci, taps] float -> packed [ci, depth] half: k = (tap, co'), taps from last to first, zeros behind co and
// behind the last tap.
extern "C" __global__ void convolution2d_half_pack_turned(
    const float* __restrict__ weights, half_bits* __restrict__ packed, int co, int ci, int taps, int depth) {
    const long long i = global_thread_index();
    if (i >= (long long)ci * depth) return;
    const int row = i / depth, k = i % depth, stored = (co + 7) & ~7, tap = k / stored, channel = k % stored;
    const bool valid = tap < taps && channel < co;
    packed[i] = to_half(valid ? weights[((long long)channel * ci + row) * taps + taps - 1 - tap] : 0.0f);
}

// parts [splits, co, taps, ci'] -> gradient [co, ci, taps], accumulated; the parts in order.
extern "C" __global__ void convolution2d_half_add_weights(
    const float* __restrict__ parts, float* __restrict__ gradient, int co, int ci, int taps, int splits) {
    const long long i = global_thread_index();
    const int stored = (ci + 7) & ~7, columns = taps * stored, channel = i % stored, tap = i / stored % taps;
    if (i >= (long long)co * columns || channel >= ci) return;
    float sum = 0;
    for (int s = 0; s < splits; s++) sum += parts[s * (long long)co * columns + i];
    gradient[(i / columns * ci + channel) * taps + tap] += sum;
}
