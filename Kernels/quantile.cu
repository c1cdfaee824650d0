// Per sample the q-quantile of its values with linear interpolation between neighbours, exact at any size: a radix
// select fixes 11, 11 and 10 bits of the value at the rank by counting; nothing is moved or sorted.
//
// count         values [samples, length]  ->  histograms [samples, 2048], added to
// select        histograms                ->  selections [samples]; the histograms are zero again
// above         values, selections        ->  selections: the smallest value above the selected one
// interpolate   selections                ->  output [samples]; NaN where a value is NaN
//
// Called as count, select (passes 0, 1, 2), above, interpolate, with histograms and selections zero at first. Floats
// are compared as whole numbers that sort alike: -0 before +0, NaN at the two ends. Atomics are on whole numbers only.

#include "common.cuh"
#include "reduction.cuh"

constexpr int buckets = 2048, threads = 256;

struct Selection {
    unsigned long long rank;   // of the value looked for, among those that share its known leading bits
    unsigned key;              // its leading bits, then all of them
    unsigned above;            // smallest key above it
    unsigned has_nan;
    unsigned is_repeated;      // the next rank holds the same value
};

__device__ __forceinline__ unsigned key_of(float value) {
    const unsigned bits = __float_as_uint(value);
    return bits >> 31 ? ~bits : bits | 0x80000000u;
}

__device__ __forceinline__ float value_of(unsigned key) {
    return __uint_as_float(key >> 31 ? key & 0x7FFFFFFFu : ~key);
}

// Where pass 0, 1 or 2 finds its bits in a key.
__device__ __forceinline__ int shift_of(int pass) { return pass == 0 ? 21 : pass == 1 ? 10 : 0; }

__device__ __forceinline__ int bits_of(int pass) { return pass == 2 ? 10 : 11; }

// Rank and fraction in one; rounded before the fraction is taken off it, as on the CPU.
__device__ __forceinline__ double position_of(float q, long long length) {
    return __dmul_rn((double)q, (double)(length - 1));
}

extern "C" __global__ void __launch_bounds__(threads) quantile_count(
    const float* __restrict__ values, int samples, long long length, int pass, unsigned* __restrict__ histograms,
    Selection* __restrict__ selections) {
    __shared__ unsigned counts[buckets];
    const int shift = shift_of(pass), bits = bits_of(pass);
    for (int sample = blockIdx.y; sample < samples; sample += gridDim.y) {
        for (int i = threadIdx.x; i < buckets; i += threads) counts[i] = 0;
        __syncthreads();
        const unsigned prefix = selections[sample].key;  // zero bits in pass 0
        bool has_nan = false;
        for (long long i = global_thread_index(); i < length; i += grid_threads()) {
            const float value = values[sample * length + i];
            const unsigned key = key_of(value);
            has_nan |= value != value;
            if (pass == 0 || key >> (shift + bits) == prefix) atomicAdd(&counts[key >> shift & ((1 << bits) - 1)], 1u);
        }
        if (has_nan) atomicOr(&selections[sample].has_nan, 1u);
        __syncthreads();
        for (int i = threadIdx.x; i < buckets; i += threads)
            if (counts[i] != 0) atomicAdd(&histograms[(long long)sample * buckets + i], counts[i]);
        __syncthreads();
    }
}

// One block per sample: finds the bucket that holds the rank.
extern "C" __global__ void __launch_bounds__(threads) quantile_select(
    float q, long long length, int pass, unsigned* __restrict__ histograms, Selection* __restrict__ selections) {
    constexpr int each = buckets / threads;
    Selection* selection = selections + blockIdx.x;
    unsigned* histogram = histograms + (long long)blockIdx.x * buckets + threadIdx.x * each;
    const unsigned long long rank = pass == 0 ? (unsigned long long)position_of(q, length) : selection->rank;

    unsigned counts[each];
    unsigned long long sum = 0;
#pragma unroll
    for (int i = 0; i < each; i++) {
        sum += counts[i] = histogram[i];
        histogram[i] = 0;  // for the next pass
    }
    unsigned long long before = block_sum_before(sum);  // behind its barriers all threads have read the rank
#pragma unroll
    for (int i = 0; i < each; i++) {
        if (before <= rank && rank < before + counts[i]) {
            selection->rank = rank - before;
            selection->key = selection->key << bits_of(pass) | (threadIdx.x * each + i);
            selection->is_repeated = rank - before + 1 < counts[i];  // after the last pass a bucket is one value
            selection->above = 0xFFFFFFFFu;
        }
        before += counts[i];
    }
}

extern "C" __global__ void __launch_bounds__(threads) quantile_above(
    const float* __restrict__ values, int samples, long long length, Selection* __restrict__ selections) {
    for (int sample = blockIdx.y; sample < samples; sample += gridDim.y) {
        if (selections[sample].is_repeated) continue;
        const unsigned key = selections[sample].key;
        unsigned smallest = 0xFFFFFFFFu;
        for (long long i = global_thread_index(); i < length; i += grid_threads()) {
            const unsigned other = key_of(values[sample * length + i]);
            if (other > key) smallest = min(smallest, other);
        }
        smallest = warp_min(smallest);
        if (threadIdx.x % 32 == 0) atomicMin(&selections[sample].above, smallest);
    }
}

extern "C" __global__ void quantile_interpolate(
    const Selection* __restrict__ selections, int samples, float q, long long length, float* __restrict__ output) {
    const long long sample = global_thread_index();
    if (sample >= samples) return;

    const Selection selection = selections[sample];
    const double position = position_of(q, length), fraction = position - (double)(long long)position;
    const float lower = value_of(selection.key);
    float quantile = lower;
    if (fraction != 0 && !selection.is_repeated)  // rounded step by step, as on the CPU
        quantile = (float)__dadd_rn(
            __dmul_rn(1 - fraction, lower), __dmul_rn(fraction, value_of(selection.above)));
    output[sample] = selection.has_nan ? __uint_as_float(0x7FC00000u) : quantile;
}
