// Mean over channels of (a - b)^2.
//
// a, b [samples, channels, pixels]  ->  map [samples, pixels]
//
// A block of 32 x 16 threads owns 32 pixels: a warp reads 32 neighbours of one channel, and each of the 16 warps sums
// every 16th channel; the partial sums are added in fixed order. Memory bound, with enough warps for one small image.

#include "common.cuh"

constexpr int tile_pixels = 32, channel_groups = 16;

extern "C" __global__ void __launch_bounds__(tile_pixels * channel_groups) squared_difference_map(
    const float* __restrict__ a, const float* __restrict__ b, int samples, int channels, int pixels,
    float* __restrict__ map) {
    __shared__ float partial[channel_groups][tile_pixels];
    const unsigned pixel = blockIdx.x * tile_pixels + threadIdx.x;
    for (int sample = blockIdx.y; sample < samples; sample += gridDim.y) {
        float sum = 0;
        if (pixel < pixels) {
            const long long first = (long long)sample * channels * pixels + pixel;
            for (int channel = threadIdx.y; channel < channels; channel += channel_groups) {
                const long long i = first + (long long)channel * pixels;
                const float difference = a[i] - b[i];
                sum += difference * difference;
            }
        }
        partial[threadIdx.y][threadIdx.x] = sum;
        __syncthreads();
        if (threadIdx.y == 0 && pixel < pixels) {
            for (int group = 1; group < channel_groups; group++) sum += partial[group][threadIdx.x];
            map[(long long)sample * pixels + pixel] = sum / channels;
        }
        __syncthreads();
    }
}
