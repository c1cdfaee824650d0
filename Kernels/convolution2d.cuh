// What all convolution kernels share.
#pragma once

#include "common.cuh"
#include "tensor_core.cuh"

// One comparison each: a negative number is a large unsigned one.
__device__ __forceinline__ bool lies_inside(int y, int x, int height, int width) {
    return (unsigned)y < (unsigned)height && (unsigned)x < (unsigned)width;
}

// The least value that an output may have. `value < least ? least : value` keeps NaN, which fmaxf would hide.
__device__ __forceinline__ float least_output(bool relu) { return relu ? 0.0f : __int_as_float(0xFF800000); }

// Runs load(stage) for every stage, up to Count - 1 stages ahead of multiply(stage). `load` starts asynchronous copies,
// `multiply` reads what all threads have copied; one barrier per stage.
template <int Count, typename Stage, typename Load, typename Multiply>
__device__ __forceinline__ void pipeline(Stage (&buffer)[Count], int stages, Load load, Multiply multiply) {
    #pragma unroll 1
    for (int s = 1 - Count; s < stages; s++) {
        if (s >= 0) {
            wait_for_copies<Count - 2>();
            __syncthreads();  // stage s has come for all threads, and nobody reads stage s - 1 any more
        }
        if (s + Count - 1 < stages) load(buffer[(unsigned)(s + Count - 1) % Count]);
        commit_copies();
        if (s >= 0) multiply(buffer[(unsigned)s % Count]);
    }
}
