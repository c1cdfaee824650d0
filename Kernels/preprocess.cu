// From 8-bit pixels to the networks' input: colour adjustment, squash-resize as Pillow's BILINEAR does it (a triangle
// filter that widens with the shrink factor, horizontal pass first, rounded to 8 bits between the passes), centre crop,
// ImageNet's mean and standard deviation. The bits are those of the CPU backend.
//
// luma         image                       ->  luma_sum [1], added to; needed for the contrast alone
// horizontal   image                       ->  rows [row_count, out_w], 32-bit pixels, red lowest
// vertical     rows [row_count, out_w]     ->  output [3, out_h, out_w]
//
// A filter gives target pixel i the weights [offsets[i], offsets[i + 1]) for the source pixels from starts[i] on, with
// 22 fraction bits; the host computes it once per pair of sizes. One thread per pixel written.

#include "common.cuh"
#include "preprocess.cuh"
#include "reduction.cuh"

extern "C" __global__ void preprocess_luma(
    const unsigned char* __restrict__ image, int width, int height, int stride, int pixel_bytes, int red, int blue,
    unsigned long long* __restrict__ luma_sum) {
    unsigned long long sum = 0;
    for (int y = blockIdx.x; y < height; y += gridDim.x) {
        const unsigned char* row = image + (long long)y * stride;
        for (int x = threadIdx.x; x < width; x += blockDim.x)
            sum += luma_of(load(row + (long long)x * pixel_bytes, pixel_bytes, red, blue));
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) atomicAdd(luma_sum, sum);
}

extern "C" __global__ void preprocess_horizontal(
    const unsigned char* __restrict__ image, int width, int height, int stride, int pixel_bytes, int red, int blue,
    int adjustment, float factor, const unsigned long long* __restrict__ luma_sum, int first_row, int row_count,
    const int* __restrict__ starts, const int* __restrict__ offsets, const int* __restrict__ weights, int out_w,
    unsigned* __restrict__ rows) {
    const unsigned x = plane_pixel();
    if (x >= out_w) return;

    const int base = adjustment == contrast ? mean_luma(*luma_sum, width, height) : 0;
    const int begin = offsets[x], end = offsets[x + 1];
    for (int y = blockIdx.y; y < row_count; y += gridDim.y) {
        const unsigned char* pixel = image + (long long)(first_row + y) * stride + (long long)starts[x] * pixel_bytes;
        unsigned r = 1u << (fraction_bits - 1), g = r, b = r;
        for (int i = begin; i < end; i++, pixel += pixel_bytes) {
            const Pixel p = adjust(load(pixel, pixel_bytes, red, blue), adjustment, factor, base);
            r += p.red * weights[i];
            g += p.green * weights[i];
            b += p.blue * weights[i];
        }
        rows[(long long)y * out_w + x] = to_byte(r) | to_byte(g) << 8 | to_byte(b) << 16;
    }
}

extern "C" __global__ void preprocess_vertical(
    const unsigned* __restrict__ rows, int first_row, const int* __restrict__ starts, const int* __restrict__ offsets,
    const int* __restrict__ weights, int out_h, int out_w, float* __restrict__ output) {
    const unsigned pixel = plane_pixel(), plane = (unsigned)out_h * out_w;
    if (pixel >= plane) return;

    const int y = pixel / out_w, x = pixel % out_w;
    const unsigned* column = rows + (long long)(starts[y] - first_row) * out_w + x;
    unsigned r = 1u << (fraction_bits - 1), g = r, b = r;
    for (int i = offsets[y]; i < offsets[y + 1]; i++, column += out_w) {
        r += (*column & 255) * weights[i];
        g += (*column >> 8 & 255) * weights[i];
        b += (*column >> 16) * weights[i];
    }
    output[pixel] = ((float)to_byte(r) / 255.0f - 0.485f) / 0.229f;
    output[(long long)plane + pixel] = ((float)to_byte(g) / 255.0f - 0.456f) / 0.224f;
    output[2ll * plane + pixel] = ((float)to_byte(b) / 255.0f - 0.406f) / 0.225f;
}
