// What every kernel shares. No header of NVIDIA's is needed: one source compiles with NVRTC alone.
#pragma once

// Position of this thread in a one-dimensional launch; 64 bits, because tensors may hold more than 2^31 values.
__device__ __forceinline__ long long global_thread_index() {
    return (long long)blockIdx.x * blockDim.x + threadIdx.x;
}
