// combined = local_scale * local + global_scale * global + offset, count values. One thread per value; memory bound.
// The result may replace either map: no restrict.

#include "common.cuh"

extern "C" __global__ void combine_maps(
    const float* local_map, const float* global_map, float local_scale, float global_scale, float offset,
    float* combined, long long count) {
    const long long i = global_thread_index();
    if (i < count) combined[i] = local_scale * local_map[i] + global_scale * global_map[i] + offset;
}
