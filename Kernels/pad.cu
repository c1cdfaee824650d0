// Surrounds every plane with a border of one value.
//
// input [planes, in_h, in_w]  ->  output [planes, in_h + 2 border, in_w + 2 border]
//
// One thread per output and plane; memory bound.

#include "common.cuh"

extern "C" __global__ void pad(
    const float* __restrict__ input, int planes, int in_h, int in_w, int border, float value,
    float* __restrict__ output) {
    const int out_h = in_h + 2 * border, out_w = in_w + 2 * border;
    const unsigned pixel = plane_pixel();
    if (pixel >= (unsigned)out_h * out_w) return;

    const int y = (int)(pixel / out_w) - border, x = (int)(pixel % out_w) - border;
    const bool inside = y >= 0 && y < in_h && x >= 0 && x < in_w;
    for (long long plane = blockIdx.y; plane < planes; plane += gridDim.y)
        output[plane * out_h * out_w + pixel] = inside ? input[(plane * in_h + y) * in_w + x] : value;
}
