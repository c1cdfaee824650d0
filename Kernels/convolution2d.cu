// 2-D convolution (cross-correlation) in float32 and its input gradient, as implicit matrix products: any size, stride,
// padding and batch.
//
// forward         output[co, pixel] = bias + sum over k = (ci, ky, kx) of weights[co, k] input[n, ci, y + ky, x + kx]
// input gradient  gradient[ci, pixel] += sum over k = (co, ky, kx) of weights[k, ci] output_gradient[n, co, ...]
//
// Weights are packed first: [k, rows], rows padded to a multiple of 4; behind them a tap (channel, y, x) for every k
// and 8 more. A column of the product is a pixel: eight neighbouring lanes load and store neighbouring pixels. Pixels
// beyond the image come as zeros out of cp.async. With stride s the input gradient falls into s x s independent
// convolutions, one per residue of the tap (grid z), so that no product with an inserted zero is computed. k may be
// split over grid y: then each part goes to a workspace, and a second pass adds the parts in order: same bits every
// run. Compute bound from about 60 k on.

#include "convolution2d_tile.cuh"

// ---- packing

// Channel in the upper 16 bits, then y and x offset, 8 bits each and signed.
__device__ __forceinline__ int encode_tap(int channel, int y, int x) {
    return channel << 16 | (y & 255) << 8 | (x & 255);
}

// Of the taps 0 .. kernel - 1, how many leave `residue` when divided by the stride, and how many leave less.
__device__ __forceinline__ int taps_with(int residue, int kernel, int stride) {
    return kernel / stride + (residue < kernel % stride);
}

__device__ __forceinline__ int taps_below(int residue, int kernel, int stride) {
    return residue * (kernel / stride) + min(residue, kernel % stride);
}

// Where a row's value for some k lies in [co, ci, kh, kw], and the tap it is multiplied with.
struct Packed { int source, row_stride, tap; };

__device__ __forceinline__ Packed packed_forward(int k, int, int ci, int kh, int kw, int) {
    return {k, ci * kh * kw, encode_tap(k / (kh * kw), k / kw % kh, k % kw)};
}

// Order of k: residue of ky, residue of kx, output channel, ky, kx. A tap reads the output gradient (ky - residue) /
// stride rows above the base row of its residue.
__device__ __forceinline__ Packed packed_input_gradient(int k, int co, int ci, int kh, int kw, int stride) {
    int ry = 0, rx = 0;
    while (k >= co * kw * taps_with(ry, kh, stride)) k -= co * kw * taps_with(ry++, kh, stride);
    const int down = taps_with(ry, kh, stride);
    while (k >= co * down * taps_with(rx, kw, stride)) k -= co * down * taps_with(rx++, kw, stride);
    const int across = taps_with(rx, kw, stride);
    const int channel = k / (down * across), y = k / across % down, x = k % across;
    const int source = (channel * ci * kh + ry + y * stride) * kw + rx + x * stride;
    return {source, kh * kw, encode_tap(channel, -y, -x)};
}

// Blocks of 32 x 8 threads turn tiles of 32 rows x 32 k around: both sides are read and written along their memory.
template <typename Order>
__device__ __forceinline__ void pack(
    const float* __restrict__ weights, float* __restrict__ packed, int* __restrict__ taps, int rows, int depth,
    int co, int ci, int kh, int kw, int stride, Order order) {
    __shared__ float tile[32][33];
    const int k = blockIdx.x * 32 + threadIdx.x, row0 = blockIdx.y * 32;
    if (k < depth) {
        const Packed from = order(k, co, ci, kh, kw, stride);
        for (int i = threadIdx.y; i < 32; i += 8)
            tile[i][threadIdx.x] = row0 + i < rows ? weights[from.source + (row0 + i) * from.row_stride] : 0.0f;
        if (row0 == 0 && threadIdx.y == 0) taps[k] = from.tap;
    } else if (row0 == 0 && threadIdx.y == 0 && k < depth + Depth) {
        taps[k] = 0;  // the last stage reads as far, and multiplies with zeros
    }
    __syncthreads();
    const int row = row0 + threadIdx.x, stored_rows = (rows + 3) & ~3;
    for (int i = threadIdx.y; i < 32; i += 8) {
        const int to = blockIdx.x * 32 + i;
        if (to < depth && row < stored_rows) packed[(long long)to * stored_rows + row] = tile[threadIdx.x][i];
    }
}

extern "C" __global__ void convolution2d_pack_forward(
    const float* __restrict__ weights, float* __restrict__ packed, int* __restrict__ taps,
    int co, int ci, int kh, int kw, int) {
    pack(weights, packed, taps, co, ci * kh * kw, co, ci, kh, kw, 1, packed_forward);
}

extern "C" __global__ void convolution2d_pack_input_gradient(
    const float* __restrict__ weights, float* __restrict__ packed, int* __restrict__ taps,
    int co, int ci, int kh, int kw, int stride) {
    pack(weights, packed, taps, ci, co * kh * kw, co, ci, kh, kw, stride, packed_input_gradient);
}

// ---- the product

// Packed weights of one product: [depth, rows padded to a multiple of 4].
struct Weights { const float* values; const int* taps; int rows, depth; };

constexpr int Outside = -0x40000000;  // a row of no image, whatever tap is added

// Columns are the pixels of samples x height x width. Column (n, y, x) meets a tap (c, dy, dx) at channel c, row
// y * step + origin_y + dy and column x * step + origin_x + dx of sample n of the source.
struct Columns { int samples, height, width, step, origin_y, origin_x; };
struct Source { const float* values; int channels, height, width; };

// Column (n, y, x) of row r goes to [n, r, y * step + origin_y, x * step + origin_x].
struct Destination {
    float* values;
    int rows, height, width, step, origin_y, origin_x;
    Columns columns;
    float least;
    bool add;

    __device__ float* column(int column) const {
        const int plane = columns.height * columns.width, n = column / plane;
        if (n >= columns.samples) return nullptr;
        const int y = column % plane / columns.width, x = column % columns.width;
        const int pixel = (y * step + origin_y) * width + x * step + origin_x;
        return values + ((long long)n * rows * height * width + pixel);
    }

    __device__ void store(float* to, int row, float value) const {
        if (to == nullptr || row >= rows) return;
        to += (long long)row * height * width;
        if (value < least) value = least;
        *to = add ? *to + value : value;
    }
};

template <typename Product>
__device__ __forceinline__ void gather_product(
    Product& product, const Weights& weights, const Source& source, const Columns& columns,
    int first_row, int first_column, int first_k, int last_k) {
    using T = typename Product::Shape;
    constexpr int Chunks = T::Rows / 4;  // a thread copies one chunk of four rows of A per stage

    const int stored_rows = (weights.rows + 3) & ~3, a_row = threadIdx.x % Chunks * 4, a_k = threadIdx.x / Chunks;
    const bool a_valid = first_row + a_row < stored_rows;
    const float* a = weights.values + (long long)(first_k + a_k) * stored_rows + first_row + a_row;

    // ... and four k of one column of B, a pixel.
    const int local = threadIdx.x % T::Columns, b_slot = Product::slot(local), b_k = threadIdx.x / T::Columns * 4;
    const int column = first_column + local, column_plane = columns.height * columns.width, n = column / column_plane;
    const int y = column % column_plane / columns.width;
    const int y0 = n < columns.samples ? y * columns.step + columns.origin_y : Outside;
    const int x0 = column % columns.width * columns.step + columns.origin_x;
    const int plane = source.height * source.width, sample = n * source.channels * plane;

    const int* taps = weights.taps + first_k + b_k;
    int a_left = last_k - first_k - a_k, b_left = last_k - first_k - b_k;
    accumulate(product, (last_k - first_k + Depth - 1) / Depth, [&](typename T::Stage& stage) {
        copy_async_16(&stage.a[a_k][a_row], a, a_valid && a_left > 0);
        #pragma unroll
        for (int i = 0; i < 4; i++) {
            const int tap = taps[i], y = y0 + (tap << 16 >> 24), x = x0 + (tap << 24 >> 24);
            const int offset = sample + (tap >> 16) * plane + y * source.width + x;
            const bool valid = b_left > i && lies_inside(y, x, source.height, source.width);
            copy_async_4(&stage.b[b_k + i][b_slot], source.values + offset, valid);
        }
        a += (long long)Depth * stored_rows, taps += Depth;
        a_left -= Depth, b_left -= Depth;
    });
}

template <typename Product>
__device__ __forceinline__ void convolve(
    const Weights& weights, const Source& source, const Columns& columns, const Destination& destination,
    const float* bias) {
    using T = typename Product::Shape;
    const int row_tiles = (weights.rows + T::Rows - 1) / T::Rows;  // neighbouring blocks share their pixels
    const int first_row = blockIdx.x % row_tiles * T::Rows, first_column = blockIdx.x / row_tiles * T::Columns;
    if (first_column >= columns.samples * columns.height * columns.width) return;

    Product product;
    product.start(bias, first_row, weights.rows);
    gather_product(
        product, weights, source, columns, first_row, first_column,
        split_begin(weights.depth, blockIdx.y, gridDim.y), split_begin(weights.depth, blockIdx.y + 1, gridDim.y));
    product.write(destination, first_row, first_column);
}

// input [n, ci, h, w], packed weights, bias [co] or null -> output [n, co, oh, ow]; with a split of k, which wants no
// bias and no ReLU: -> [splits, n, co, oh, ow].
template <typename Product>
__device__ __forceinline__ void forward(
    const float* packed, const int* taps, const float* input, const float* bias, float* output,
    int n, int ci, int h, int w, int co, int oh, int ow, int depth, int stride, int padding, int relu) {
    const Columns columns = {n, oh, ow, stride, -padding, -padding};
    float* part = output + (long long)blockIdx.y * n * co * oh * ow;
    const Destination destination = {part, co, oh, ow, 1, 0, 0, columns, least_output(relu != 0), false};
    convolve<Product>({packed, taps, co, depth}, {input, ci, h, w}, columns, destination, bias);
}

// output_gradient [n, co, oh, ow], packed weights -> input_gradient [n, ci, h, w], accumulated if `add`; with a split
// of k: -> [splits, n, ci, h, w]. Grid z: the residue of ky times stride plus the residue of kx.
template <typename Product>
__device__ __forceinline__ void input_gradient(
    const float* packed, const int* taps, const float* output_gradient, float* gradient,
    int n, int co, int oh, int ow, int ci, int h, int w, int kh, int kw, int stride, int padding, int add) {
    const int ry = blockIdx.z / stride, rx = blockIdx.z % stride;
    const int down = taps_with(ry, kh, stride), across = taps_with(rx, kw, stride);
    const int first_k = co * (taps_below(ry, kh, stride) * kw + down * taps_below(rx, kw, stride));
    // Rows y with (y + padding) % stride == ry, from first_y on; tap ry of row first_y is output row origin_y.
    const int first_y = (ry + stride - padding % stride) % stride, origin_y = (first_y + padding - ry) / stride;
    const int first_x = (rx + stride - padding % stride) % stride, origin_x = (first_x + padding - rx) / stride;
    const int height = (h - first_y + stride - 1) / stride, width = (w - first_x + stride - 1) / stride;
    const Columns columns = {n, height, width, 1, origin_y, origin_x};
    float* part = gradient + (long long)blockIdx.y * n * ci * h * w;
    const Weights weights = {packed + (long long)first_k * ((ci + 3) & ~3), taps + first_k, ci, co * down * across};
    const Destination destination = {
        part, ci, h, w, stride, first_y, first_x, columns, least_output(false), add != 0};
    convolve<Product>(weights, {output_gradient, co, oh, ow}, columns, destination, nullptr);
}

// ---- the second pass of a split

// parts [splits, count] -> output [n, channels, plane], count = n * channels * plane.
extern "C" __global__ void convolution2d_add_parts_forward(
    const float* __restrict__ parts, const float* __restrict__ bias, float* __restrict__ output,
    long long count, int channels, int plane, int splits, int relu) {
    const long long i = global_thread_index();
    if (i >= count) return;
    float sum = bias ? bias[i / plane % channels] : 0.0f;
    for (int s = 0; s < splits; s++) sum += parts[s * count + i];
    const float least = least_output(relu != 0);
    output[i] = sum < least ? least : sum;
}

// parts [splits, count] -> gradient [count], accumulated.
extern "C" __global__ void convolution2d_add_parts_gradient(
    const float* __restrict__ parts, float* __restrict__ gradient, long long count, int splits) {
    const long long i = global_thread_index();
    if (i >= count) return;
    float sum = 0;
    for (int s = 0; s < splits; s++) sum += parts[s * count + i];
    gradient[i] += sum;
}

// ---- kernels by tile and arithmetic

#define CONVOLUTION2D(SUFFIX, PRODUCT, TILE)                                                                           \
    extern "C" __global__ void __launch_bounds__(TILE::Threads, Resident<TILE>) convolution2d_forward_##SUFFIX(   \
        const float* __restrict__ packed, const int* __restrict__ taps, const float* __restrict__ input,               \
        const float* __restrict__ bias, float* __restrict__ output, int n, int ci, int h, int w, int co, int oh,       \
        int ow, int depth, int stride, int padding, int relu) {                                                        \
        forward<PRODUCT<TILE>>(                                                                                        \
            packed, taps, input, bias, output, n, ci, h, w, co, oh, ow, depth, stride, padding, relu);                 \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(TILE::Threads, Resident<TILE>)                                   \
    convolution2d_input_gradient_##SUFFIX(                                                                             \
        const float* __restrict__ packed, const int* __restrict__ taps, const float* __restrict__ output_gradient,     \
        float* __restrict__ gradient, int n, int co, int oh, int ow, int ci, int h, int w, int kh, int kw,             \
        int stride, int padding, int add) {                                                                            \
        input_gradient<PRODUCT<TILE>>(                                                                                 \
            packed, taps, output_gradient, gradient, n, co, oh, ow, ci, h, w, kh, kw, stride, padding, add);           \
    }

CONVOLUTION2D(large, FloatProduct, Large)
CONVOLUTION2D(medium, FloatProduct, Medium)
CONVOLUTION2D(small, FloatProduct, Small)
#if __CUDA_ARCH__ >= 800
CONVOLUTION2D(tf32_large, Tf32Product, Large)
CONVOLUTION2D(tf32_medium, Tf32Product, Medium)
CONVOLUTION2D(tf32_small, Tf32Product, Small)
#endif
