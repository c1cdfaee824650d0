// Per channel, over samples and pixels: the mean, and the sum of squared deviations from it. Two passes: the sum of
// squares minus the square of the sum would cancel.
//
// input [samples, channels, pixels]  ->  mean [channels], squared_deviations [channels], in double
//
// One block per channel; the second pass reads what the first has left in the cache. Sums in double, in fixed order.

#include "common.cuh"
#include "reduction.cuh"

extern "C" __global__ void channel_moments(
    const float* __restrict__ input, int samples, int channels, int pixels,
    double* __restrict__ mean, double* __restrict__ squared_deviations) {
    const float* channel = input + (long long)blockIdx.x * pixels;
    const long long sample_stride = (long long)channels * pixels;
    double sum = 0;
    for (int n = 0; n < samples; n++)
        for (unsigned i = threadIdx.x; i < pixels; i += blockDim.x) sum += channel[n * sample_stride + i];
    const double centre = block_sum(sum) / ((double)samples * pixels);

    double squares = 0;
    for (int n = 0; n < samples; n++)
        for (unsigned i = threadIdx.x; i < pixels; i += blockDim.x) {
            const double deviation = channel[n * sample_stride + i] - centre;
            squares += deviation * deviation;
        }
    squares = block_sum(squares);
    if (threadIdx.x != 0) return;
    mean[blockIdx.x] = centre;
    squared_deviations[blockIdx.x] = squares;
}
