// Sums and extremes over the threads of a warp or block. Every order is fixed: same bits on every run.
#pragma once

constexpr unsigned all_lanes = 0xFFFFFFFFu;

// Butterfly: a + b has the bits of b + a, so all lanes end with the same sum.
template <typename T>
__device__ __forceinline__ T warp_sum(T value) {
    for (int distance = 16; distance > 0; distance /= 2) value += __shfl_xor_sync(all_lanes, value, distance);
    return value;
}

// Sum over the block, for every thread; all threads of all its warps must call it.
template <typename T>
__device__ __forceinline__ T block_sum(T value) {
    __shared__ T warps[32];
    const int lane = threadIdx.x % 32;
    value = warp_sum(value);
    if (lane == 0) warps[threadIdx.x / 32] = value;
    __syncthreads();
    const T total = warp_sum(lane < blockDim.x / 32 ? warps[lane] : T(0));
    __syncthreads();  // before the next call overwrites them
    return total;
}

// Sum over the threads of the block that come before this one.
template <typename T>
__device__ __forceinline__ T block_sum_before(T value) {
    __shared__ T warps[32];
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    T sum = value;  // up to and with this lane
    for (int distance = 1; distance < 32; distance *= 2) {
        const T other = __shfl_up_sync(all_lanes, sum, distance);
        if (lane >= distance) sum += other;
    }
    if (lane == 31) warps[warp] = sum;
    __syncthreads();
    T before = sum - value;
    for (int w = 0; w < warp; w++) before += warps[w];
    __syncthreads();
    return before;
}

__device__ __forceinline__ unsigned warp_min(unsigned value) {
    for (int distance = 16; distance > 0; distance /= 2)
        value = min(value, __shfl_xor_sync(all_lanes, value, distance));
    return value;
}

// The larger one; NaN if either is.
__device__ __forceinline__ float nan_max(float a, float b) { return a > b || a != a ? a : b; }

// Largest value of the block, for every thread; NaN if any is.
__device__ __forceinline__ float block_nan_max(float value) {
    __shared__ float warps[32];
    const int lane = threadIdx.x % 32;
    for (int distance = 16; distance > 0; distance /= 2)
        value = nan_max(value, __shfl_xor_sync(all_lanes, value, distance));
    if (lane == 0) warps[threadIdx.x / 32] = value;
    __syncthreads();
    value = warps[0];
    for (int w = 1; w < blockDim.x / 32; w++) value = nan_max(value, warps[w]);
    return value;
}
