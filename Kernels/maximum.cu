// Per sample the largest value; NaN if any is NaN.
//
// partial    input [samples, values]     ->  partial [samples, blocks]
// forward    partial [samples, blocks]   ->  output [samples]
//
// Memory bound; the second kernel takes one block per sample.

#include "common.cuh"
#include "reduction.cuh"

extern "C" __global__ void maximum_partial(
    const float* __restrict__ input, int samples, long long values, float* __restrict__ partial) {
    for (int sample = blockIdx.y; sample < samples; sample += gridDim.y) {
        float largest = __uint_as_float(0xFF800000u);  // -infinity
        for (long long i = global_thread_index(); i < values; i += grid_threads())
            largest = nan_max(largest, input[sample * values + i]);
        largest = block_nan_max(largest);
        if (threadIdx.x == 0) partial[(long long)sample * gridDim.x + blockIdx.x] = largest;
        __syncthreads();
    }
}

extern "C" __global__ void maximum_forward(
    const float* __restrict__ partial, int blocks, float* __restrict__ output) {
    float largest = __uint_as_float(0xFF800000u);
    for (int i = threadIdx.x; i < blocks; i += blockDim.x)
        largest = nan_max(largest, partial[(long long)blockIdx.x * blocks + i]);
    largest = block_nan_max(largest);
    if (threadIdx.x == 0) output[blockIdx.x] = largest;
}
