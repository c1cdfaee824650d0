// From the last layers' partial sums to a verdict, in one launch.
//
// local, global [parts, n, in_h, in_w]: sums of squares over blocks of channels
//   -> local_map, global_map [n, in_h, in_w]: their sums over `channels`, in the parts' order
//   -> map [n, out_h, out_w]: scaling[0] * local + scaling[1] * global + scaling[2], surrounded by `border` rows and
//      columns of `outside` (or of scaling[2], which is what zeros come to), resized as resize_bilinear.cu does it
//   -> scores [n]: the map's maximum, NaN if any value is NaN
//
// A thread goes down Strip rows of a column and keeps the two source rows that it is between: where the map grows, few
// pixels read anything. The last block of a sample to finish reduces the blocks' maxima (`maxima`, [n, blocks]); `done`
// [n] counts blocks, starts at zero and ends there. No atomics on floats: same bits every run. Grid: x, strips,
// samples.

#include "reduction.cuh"
#include "resize_bilinear.cuh"

constexpr int Strip = 8;

struct Maps {
    const float *local, *global;  // of this sample
    long long part;               // values from one part to the next
    int parts, h, w;
    float channels;

    __device__ float sum(const float* first, int pixel) const {
        float sum = 0;
        for (int i = 0; i < parts; i++) sum += first[i * part + pixel];
        return sum / channels;
    }
};

struct Combined {
    Maps maps;
    float local_scale, global_scale, offset, outside;
    int border;

    __device__ float at(int y, int x) const {
        y -= border, x -= border;
        if (y < 0 || y >= maps.h || x < 0 || x >= maps.w) return outside;
        const int pixel = y * maps.w + x;
        return local_scale * maps.sum(maps.local, pixel) + global_scale * maps.sum(maps.global, pixel) + offset;
    }

    __device__ float between(int y, const Tap& column) const {
        return (1 - column.fraction) * at(y, column.low) + column.fraction * at(y, column.high);
    }
};

// Largest value of the sample's blocks, for the block that ends last; false for all others.
__device__ __forceinline__ bool ends_last(float largest, float* maxima, unsigned* done, float& of_all) {
    __shared__ bool is_last;
    const int blocks = gridDim.x * gridDim.y, block = blockIdx.y * gridDim.x + blockIdx.x;
    largest = block_nan_max(largest);
    if (threadIdx.x == 0) {
        maxima[block] = largest;
        __threadfence();
        is_last = atomicInc(done, blocks - 1) == blocks - 1;
    }
    __syncthreads();
    if (!is_last) return false;
    __threadfence();
    float all = __uint_as_float(0xFF800000u);  // -infinity
    for (int i = threadIdx.x; i < blocks; i += blockDim.x) all = nan_max(all, ((volatile float*)maxima)[i]);
    of_all = block_nan_max(all);
    return true;
}

extern "C" __global__ void fused_verdict(
    const float* __restrict__ local, const float* __restrict__ global, int parts, int channels, int in_h, int in_w,
    const float* __restrict__ scaling, int border, int is_border_zero, float scale_y, float offset_y, float scale_x,
    float offset_x, int out_h, int out_w, float* __restrict__ local_map, float* __restrict__ global_map,
    float* __restrict__ map, float* maxima, unsigned* done, float* __restrict__ scores) {
    const int sample = blockIdx.z, plane = in_h * in_w;
    const Maps maps = {
        local + (long long)sample * plane, global + (long long)sample * plane, (long long)gridDim.z * plane, parts,
        in_h, in_w, (float)channels};
    const int threads = gridDim.x * gridDim.y * blockDim.x;
    for (int i = (blockIdx.y * gridDim.x + blockIdx.x) * blockDim.x + threadIdx.x; i < plane; i += threads) {
        local_map[(long long)sample * plane + i] = maps.sum(maps.local, i);
        global_map[(long long)sample * plane + i] = maps.sum(maps.global, i);
    }

    const Combined combined = {
        maps, scaling[0], scaling[1], scaling[2], is_border_zero ? 0.0f : scaling[2], border};
    const int x = blockIdx.x * blockDim.x + threadIdx.x, top = blockIdx.y * Strip;
    float largest = __uint_as_float(0xFF800000u);
    if (x < out_w) {
        const Tap column = tap(x, in_w + 2 * border, scale_x, offset_x);
        int low = -1, high = -1;
        float at_low = 0, at_high = 0;
        for (int y = top; y < min(top + Strip, out_h); y++) {
            const Tap row = tap(y, in_h + 2 * border, scale_y, offset_y);
            if (row.low != low) at_low = row.low == high ? at_high : combined.between(row.low, column);
            low = row.low;
            if (row.high != high) at_high = row.high == low ? at_low : combined.between(row.high, column);
            high = row.high;
            const float value = (1 - row.fraction) * at_low + row.fraction * at_high;
            map[((long long)sample * out_h + y) * out_w + x] = value;
            largest = nan_max(largest, value);
        }
    }

    float of_all;
    const int blocks = gridDim.x * gridDim.y;
    if (ends_last(largest, maxima + (long long)sample * blocks, done + sample, of_all) && threadIdx.x == 0)
        scores[sample] = of_all;
}
