// Each value becomes the mean of itself and its up to eight neighbours, each times the weight of its place.
//
// maps [planes, h, w], weights [h, w]  ->  result [planes, h, w]
//
// One thread per pixel, planes along y; at the edges there are fewer neighbours, and the mean is over these. A launch
// moves a few tens of kilobytes: latency alone.

#include "common.cuh"

extern "C" __global__ void weigh_places(
    const float* __restrict__ maps, int planes, int h, int w, const float* __restrict__ weights,
    float* __restrict__ result) {
    const unsigned pixel = plane_pixel();
    if (pixel >= h * w) return;
    const int y = pixel / w, x = pixel - y * w;
    const int top = max(y - 1, 0), bottom = min(y + 1, h - 1), left = max(x - 1, 0), right = min(x + 1, w - 1);
    const float count = (bottom - top + 1) * (right - left + 1);
    for (int plane = blockIdx.y; plane < planes; plane += gridDim.y) {
        const long long first = (long long)plane * h * w;
        float sum = 0;
        for (int row = top; row <= bottom; row++) {
            for (int column = left; column <= right; column++) {
                const int at = row * w + column;
                sum += weights[at] * maps[first + at];
            }
        }
        result[first + pixel] = sum / count;
    }
}
