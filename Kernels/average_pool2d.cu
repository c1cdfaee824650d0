// Mean over windows of 2 x 2, stride 2; a last odd row or column is dropped, padding (0 or 1) counts as zeros.
//
// forward    input [planes, in_h, in_w]             ->  output [planes, out_h, out_w]
// backward   output_gradient [planes, out_h, out_w] ->  input_gradient [planes, in_h, in_w], accumulated
//
// One thread per written value and plane. Memory bound. Windows do not overlap, so an input has one output at most:
// the backward pass gathers.

#include "common.cuh"

extern "C" __global__ void average_pool2d_forward(
    const float* __restrict__ input, int planes, int in_h, int in_w, int padding, int out_h, int out_w,
    float* __restrict__ output) {
    const unsigned pixel = plane_pixel();
    if (pixel >= (unsigned)out_h * out_w) return;

    const int y = 2 * (int)(pixel / out_w) - padding, x = 2 * (int)(pixel % out_w) - padding;
    const bool top = y >= 0, bottom = y + 1 < in_h, left = x >= 0, right = x + 1 < in_w;
    for (long long plane = blockIdx.y; plane < planes; plane += gridDim.y) {
        const float* window = input + (plane * in_h + y) * in_w + x;
        const float a = top && left ? window[0] : 0, b = top && right ? window[1] : 0;
        const float c = bottom && left ? window[in_w] : 0, d = bottom && right ? window[in_w + 1] : 0;
        output[plane * out_h * out_w + pixel] = ((a + c) + (b + d)) * 0.25f;
    }
}

extern "C" __global__ void average_pool2d_backward(
    const float* __restrict__ output_gradient, int planes, int in_h, int in_w, int padding, int out_h, int out_w,
    float* __restrict__ input_gradient) {
    const unsigned pixel = plane_pixel();
    if (pixel >= (unsigned)in_h * in_w) return;

    const int y = ((int)(pixel / in_w) + padding) / 2, x = ((int)(pixel % in_w) + padding) / 2;
    if (y >= out_h || x >= out_w) return;  // the dropped row or column
    for (long long plane = blockIdx.y; plane < planes; plane += gridDim.y)
        input_gradient[plane * in_h * in_w + pixel] += output_gradient[(plane * out_h + y) * out_w + x] * 0.25f;
}
