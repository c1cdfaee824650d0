// What every kernel shares. No header of NVIDIA's is needed: one source compiles with NVRTC alone.
#pragma once

// Position of this thread in a one-dimensional launch; 64 bits, because tensors may hold more than 2^31 values.
__device__ __forceinline__ long long global_thread_index() {
    return (long long)blockIdx.x * blockDim.x + threadIdx.x;
}

// Number of threads along x: the stride of a loop in which a fixed grid covers any count.
__device__ __forceinline__ long long grid_threads() { return (long long)gridDim.x * blockDim.x; }

// Pixel of this thread in a launch over [planes, pixels]. The planes lie along the grid's y, of which there are at
// most 65,535: kernels stride over them. One 32-bit division then finds a pixel's row.
__device__ __forceinline__ unsigned plane_pixel() { return blockIdx.x * blockDim.x + threadIdx.x; }
