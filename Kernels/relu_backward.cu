// Zeroes the gradient, in place, wherever a rectified output is zero.
//
// output, output_gradient    count values
//
// One thread per value; memory bound.

#include "common.cuh"

extern "C" __global__ void relu_backward(
    const float* __restrict__ output, float* __restrict__ output_gradient, long long count) {
    const long long i = global_thread_index();
    // Equality, not "greater than": a gradient whose output is NaN stays.
    if (i < count && output[i] == 0) output_gradient[i] = 0;
}
