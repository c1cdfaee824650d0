// Bilinear interpolation without anti-aliasing. Output row i samples the input at (i + 0.5) * scale_y + offset_y, moved
// inside where it lies outside; columns likewise. PyTorch's align_corners = false is scale in / out, offset -0.5.
//
// forward    input [planes, in_h, in_w]             ->  output [planes, out_h, out_w]
// backward   output_gradient [planes, out_h, out_w] ->  input_gradient [planes, in_h, in_w], accumulated; offset -0.5
//
// One thread per written value and plane. Memory bound: one store and at most four cached loads per output. The
// backward pass gathers from the outputs an input went into: no atomics, same bits every run.

#include "common.cuh"
#include "resize_bilinear.cuh"

extern "C" __global__ void resize_bilinear_forward(
    const float* __restrict__ input, int planes, int in_h, int in_w, float scale_y, float offset_y, float scale_x,
    float offset_x, int out_h, int out_w, float* __restrict__ output) {
    const unsigned pixel = plane_pixel();
    if (pixel >= (unsigned)out_h * out_w) return;

    const Tap row = tap(pixel / out_w, in_h, scale_y, offset_y);
    const Tap column = tap(pixel % out_w, in_w, scale_x, offset_x);
    for (long long plane = blockIdx.y; plane < planes; plane += gridDim.y) {
        const float* low = input + (plane * in_h + row.low) * in_w;
        const float* high = input + (plane * in_h + row.high) * in_w;
        const float a = (1 - column.fraction) * low[column.low] + column.fraction * low[column.high];
        const float b = (1 - column.fraction) * high[column.low] + column.fraction * high[column.high];
        output[plane * out_h * out_w + pixel] = (1 - row.fraction) * a + row.fraction * b;
    }
}

// The outputs that input i goes into sample between i - 1 and i + 1. One too many at either end allows for rounding.
__device__ __forceinline__ int first_output(int i, float scale) {
    return max((int)floorf((i - 0.5f) / scale - 0.5f), 0);
}

__device__ __forceinline__ int last_output(int i, float scale, int out_size) {
    return min((int)ceilf((i + 1.5f) / scale - 0.5f), out_size - 1);
}

// The weight of input i in an output: a triangle around the place that the output samples.
__device__ __forceinline__ float weight(int out, int i, int in_size, float scale) {
    return fmaxf(1 - fabsf(place_of(out, in_size, scale, -0.5f) - i), 0);
}

extern "C" __global__ void resize_bilinear_backward(
    const float* __restrict__ output_gradient, int planes, int in_h, int in_w, float scale_y, float scale_x, int out_h,
    int out_w, float* __restrict__ input_gradient) {
    const unsigned pixel = plane_pixel();
    if (pixel >= (unsigned)in_h * in_w) return;

    const int y = pixel / in_w, x = pixel % in_w;
    const int top = first_output(y, scale_y), bottom = last_output(y, scale_y, out_h);
    const int left = first_output(x, scale_x), right = last_output(x, scale_x, out_w);
    for (long long plane = blockIdx.y; plane < planes; plane += gridDim.y) {
        const float* gradient = output_gradient + plane * out_h * out_w;
        float sum = 0;
        for (int oy = top; oy <= bottom; oy++) {
            const float row = weight(oy, y, in_h, scale_y);
            if (row == 0) continue;
            for (int ox = left; ox <= right; ox++) {
                const float column = weight(ox, x, in_w, scale_x);
                if (column != 0) sum += row * column * gradient[(long long)oy * out_w + ox];
            }
        }
        input_gradient[plane * in_h * in_w + pixel] += sum;
    }
}
