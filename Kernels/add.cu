// destination += source, count values. One thread per value; memory bound.

#include "common.cuh"

extern "C" __global__ void add(const float* __restrict__ source, float* __restrict__ destination, long long count) {
    const long long i = global_thread_index();
    if (i < count) destination[i] += source[i];
}
