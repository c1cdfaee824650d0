// Gradients of a convolution's weights and bias in float32, as implicit matrix products: any size, stride, padding and
// batch.
//
// weight gradient  gradient[co, (ci, ky, kx)] += sum over output pixels k = (n, y, x) of
//                  output_gradient[n, co, y, x] input[n, ci, y stride - padding + ky, x stride - padding + kx]
// bias gradient    gradient[co] += sum over n, y, x of output_gradient
//
// Rows are output channels, columns the values of one filter, k the output pixels. Eight lanes copy eight neighbouring
// pixels (one or two sectors) and store them down a column of the stage. Few weights, many pixels: k is split over grid
// y into a workspace, whose parts convolution2d_add_parts_gradient adds in order: same bits every run.

#include "convolution2d_tile.cuh"

struct Problem {
    const float *input, *output_gradient;
    int n, ci, h, w, co, oh, ow, kh, kw, stride, padding;
};

// One of the columns that a thread copies: where its tap reads, from the tap of channel 0 at the kernel's corner.
struct Column { int offset, ky, kx; };

__device__ __forceinline__ Column column_of(const Problem& p, int column) {
    if (column >= p.ci * p.kh * p.kw) return {0, -0x40000000, 0};  // lies in no image
    const int ky = column / p.kw % p.kh, kx = column % p.kw;
    return {(column / (p.kh * p.kw) * p.h + ky) * p.w + kx, ky, kx};
}

// Output pixels first_k .. last_k - 1. A thread copies four values of A and four of B per stage, all of pixel
// threadIdx.x % 8. The slots that a warp fills at a time are four neighbours, moved by four for the upper four pixels:
// with stage rows 8 banks apart every lane meets another bank.
template <typename Product>
__device__ __forceinline__ void pixel_product(
    Product& product, const Problem& p, int first_row, int first_column, int first_k, int last_k) {
    using T = typename Product::Shape;
    constexpr int Warps = T::Threads / 32;
    const int lane_k = threadIdx.x % 8;
    const int plane = p.oh * p.ow, input_plane = p.h * p.w;

    int slots[T::Loads];
    Column columns[T::Loads];
    #pragma unroll
    for (int i = 0; i < T::Loads; i++) {
        const int group = i / 2 * Warps + threadIdx.x / 32, quarter = (lane_k / 4) ^ (i & 1);
        slots[i] = group * 8 + quarter * 4 + threadIdx.x % 32 / 8;
        columns[i] = column_of(p, first_column + Product::column_in(slots[i]));
    }

    int left = last_k - first_k - lane_k, k = first_k + lane_k;  // the output pixel (n, y, x)
    int n = k / plane, y = k % plane / p.ow, x = k % p.ow;
    accumulate(product, (last_k - first_k + Depth - 1) / Depth, [&](typename T::Stage& stage) {
        const int gradient = (n * p.co + first_row) * plane + y * p.ow + x;
        const int top = y * p.stride - p.padding, leftmost = x * p.stride - p.padding;
        const int corner = n * p.ci * input_plane + top * p.w + leftmost;
        #pragma unroll
        for (int i = 0; i < T::Loads; i++) {
            copy_async_4(
                &stage.a[lane_k][slots[i]], p.output_gradient + (gradient + slots[i] * plane),
                left > 0 && first_row + slots[i] < p.co);
            copy_async_4(
                &stage.b[lane_k][slots[i]], p.input + (corner + columns[i].offset),
                left > 0 && lies_inside(top + columns[i].ky, leftmost + columns[i].kx, p.h, p.w));
        }
        left -= Depth;
        for (x += Depth; x >= p.ow; x -= p.ow)
            if (++y == p.oh) { y = 0; n++; }
    });
}

// Row r, column c of a filter bank [rows, columns].
struct Filters {
    float* values;
    int rows, columns;
    bool add;

    __device__ float* column(int column) const { return column < columns ? values + column : nullptr; }

    __device__ void store(float* to, int row, float value) const {
        if (to == nullptr || row >= rows) return;
        to += row * columns;
        *to = add ? *to + value : value;
    }
};

// Accumulated into gradient [co, ci, kh, kw] if `add`; with a split of k: -> [splits, co, ci, kh, kw].
template <typename Product>
__device__ __forceinline__ void weight_gradient(const Problem& p, float* gradient, int add) {
    using T = typename Product::Shape;
    const int columns = p.ci * p.kh * p.kw, row_tiles = (p.co + T::Rows - 1) / T::Rows;
    const int first_row = blockIdx.x % row_tiles * T::Rows, first_column = blockIdx.x / row_tiles * T::Columns;

    Product product;
    product.start(nullptr, first_row, p.co);
    const int pixels = p.n * p.oh * p.ow;
    pixel_product(
        product, p, first_row, first_column,
        split_begin(pixels, blockIdx.y, gridDim.y), split_begin(pixels, blockIdx.y + 1, gridDim.y));
    float* part = gradient + (long long)blockIdx.y * p.co * columns;
    product.write(Filters{part, p.co, columns, add != 0}, first_row, first_column);
}

#define WEIGHT_GRADIENT(SUFFIX, PRODUCT, TILE)                                                                         \
    extern "C" __global__ void __launch_bounds__(TILE::Threads, Resident<TILE>)                                        \
    convolution2d_weight_gradient_##SUFFIX(                                                                            \
        const float* __restrict__ input, const float* __restrict__ output_gradient, float* __restrict__ gradient,      \
        int n, int ci, int h, int w, int co, int oh, int ow, int kh, int kw, int stride, int padding, int add) {       \
        weight_gradient<PRODUCT<TILE>>(                                                                                \
            {input, output_gradient, n, ci, h, w, co, oh, ow, kh, kw, stride, padding}, gradient, add);                \
    }

WEIGHT_GRADIENT(large, FloatProduct, Large)
WEIGHT_GRADIENT(medium, FloatProduct, Medium)
WEIGHT_GRADIENT(small, FloatProduct, Small)
#if __CUDA_ARCH__ >= 800
WEIGHT_GRADIENT(tf32_large, Tf32Product, Large)
WEIGHT_GRADIENT(tf32_medium, Tf32Product, Medium)
WEIGHT_GRADIENT(tf32_small, Tf32Product, Small)
#endif

// output_gradient [n, co, plane] -> gradient [co], accumulated. One block of 256 threads per channel; fixed order.
extern "C" __global__ void __launch_bounds__(256) convolution2d_bias_gradient(
    const float* __restrict__ output_gradient, float* __restrict__ gradient, int n, int co, int plane) {
    __shared__ float sums[8];
    const int channel = blockIdx.x;
    float sum = 0;
    for (int sample = 0; sample < n; sample++) {
        const float* values = output_gradient + ((long long)sample * co + channel) * plane;
        float of_sample = 0;
        for (int i = threadIdx.x; i < plane; i += 256) of_sample += values[i];
        sum += of_sample;
    }
    for (int distance = 16; distance > 0; distance /= 2) sum += __shfl_xor_sync(0xFFFFFFFF, sum, distance);
    if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = sum;
    __syncthreads();
    if (threadIdx.x == 0) {
        for (int warp = 1; warp < 8; warp++) sum += sums[warp];
        gradient[channel] += sum;
    }
}
