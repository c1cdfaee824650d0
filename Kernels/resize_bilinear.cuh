// Where bilinear interpolation samples.
#pragma once

// Rounded step by step, never fused: the places are then the CPU's, bit for bit.
__device__ __forceinline__ float place_of(int out, int in_size, float scale, float offset) {
    const float place = __fadd_rn(__fmul_rn(out + 0.5f, scale), offset);
    return fminf(fmaxf(place, 0), (float)(in_size - 1));
}

struct Tap { int low, high; float fraction; };  // input rows (or columns) and the weight of `high`

__device__ __forceinline__ Tap tap(int out, int in_size, float scale, float offset) {
    const float place = place_of(out, in_size, scale, offset);
    const int low = min((int)place, in_size - 1);
    return {low, min(low + 1, in_size - 1), place - low};
}
