// (input - mean) / deviation, per channel.
//
// input [planes, pixels], planes = samples * channels; mean, deviation [channels]  ->  output [planes, pixels]
//
// One thread per pixel and plane; memory bound.

#include "common.cuh"

extern "C" __global__ void normalize_channels(
    const float* __restrict__ input, const float* __restrict__ mean, const float* __restrict__ deviation,
    int planes, int channels, int pixels, float* __restrict__ output) {
    const unsigned pixel = plane_pixel();
    if (pixel >= pixels) return;

    for (int plane = blockIdx.y; plane < planes; plane += gridDim.y) {
        const long long i = (long long)plane * pixels + pixel;
        const int channel = plane % channels;
        output[i] = (input[i] - mean[channel]) / deviation[channel];
    }
}
