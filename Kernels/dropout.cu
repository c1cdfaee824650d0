// Zeroes values at random and divides the others by `keep`. Value i takes draw i of a counter-based generator (Philox
// 4x32, 10 rounds: Salmon et al., 2011), so that every backend draws the same mask and no mask is stored.
//
// forward    input [count]           ->  output [count]
// backward   output_gradient [count] ->  input_gradient [count], accumulated; the mask is drawn again
//
// `step`, where there is one, moves the random stream on. A draw is 24 bits; a value is dropped where they are below
// drop_limit = rate * 2^24, rounded up. One thread per block of four draws: about 100 instructions for four values, so
// that memory stays the bound. Four values are one access of 16 bytes where addresses allow it; views into tensors and
// the tail go one by one.

#include "common.cuh"
#include "step.cuh"

struct Draws { unsigned word[4]; };

__device__ __forceinline__ Draws philox(unsigned long long block, unsigned long long stream, unsigned long long seed) {
    unsigned a = (unsigned)block, b = (unsigned)(block >> 32), c = (unsigned)stream, d = (unsigned)(stream >> 32);
    unsigned key0 = (unsigned)seed, key1 = (unsigned)(seed >> 32);
#pragma unroll
    for (int round = 0; round < 10; round++) {
        const unsigned high0 = __umulhi(0xD2511F53u, a), low0 = 0xD2511F53u * a;
        const unsigned high1 = __umulhi(0xCD9E8D57u, c), low1 = 0xCD9E8D57u * c;
        a = high1 ^ b ^ key0;
        b = low1;
        c = high0 ^ d ^ key1;
        d = low0;
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    return {{a, b, c, d}};
}

__device__ __forceinline__ bool is_dropped(unsigned word, int drop_limit) { return (int)(word >> 8) < drop_limit; }

// Whether the four values of a block lie within `count` and start at a multiple of 16 bytes in both tensors.
__device__ __forceinline__ bool is_whole(long long block, long long count, const float* a, const float* b) {
    return 4 * block + 4 <= count && (((unsigned long long)a | (unsigned long long)b) & 15) == 0;
}

extern "C" __global__ void dropout_forward(
    const float* __restrict__ input, int drop_limit, float keep, unsigned long long seed, unsigned long long stream,
    const StepValues* __restrict__ step, float* __restrict__ output, long long count) {
    const long long block = global_thread_index();
    if (4 * block >= count) return;

    const Draws draws = philox(block, step ? stream + step->streams : stream, seed);
    if (is_whole(block, count, input, output)) {
        float4 x = reinterpret_cast<const float4*>(input)[block];
        x.x = is_dropped(draws.word[0], drop_limit) ? 0 : x.x / keep;
        x.y = is_dropped(draws.word[1], drop_limit) ? 0 : x.y / keep;
        x.z = is_dropped(draws.word[2], drop_limit) ? 0 : x.z / keep;
        x.w = is_dropped(draws.word[3], drop_limit) ? 0 : x.w / keep;
        reinterpret_cast<float4*>(output)[block] = x;
        return;
    }
#pragma unroll
    for (int j = 0; j < 4; j++) {
        const long long i = 4 * block + j;
        if (i < count) output[i] = is_dropped(draws.word[j], drop_limit) ? 0 : input[i] / keep;
    }
}

extern "C" __global__ void dropout_backward(
    const float* __restrict__ output_gradient, int drop_limit, float keep, unsigned long long seed,
    unsigned long long stream, const StepValues* __restrict__ step, float* __restrict__ input_gradient,
    long long count) {
    const long long block = global_thread_index();
    if (4 * block >= count) return;

    const Draws draws = philox(block, step ? stream + step->streams : stream, seed);
    if (is_whole(block, count, output_gradient, input_gradient)) {
        const float4 g = reinterpret_cast<const float4*>(output_gradient)[block];
        float4 sum = reinterpret_cast<float4*>(input_gradient)[block];
        if (!is_dropped(draws.word[0], drop_limit)) sum.x += g.x / keep;
        if (!is_dropped(draws.word[1], drop_limit)) sum.y += g.y / keep;
        if (!is_dropped(draws.word[2], drop_limit)) sum.z += g.z / keep;
        if (!is_dropped(draws.word[3], drop_limit)) sum.w += g.w / keep;
        reinterpret_cast<float4*>(input_gradient)[block] = sum;
        return;
    }
#pragma unroll
    for (int j = 0; j < 4; j++) {
        const long long i = 4 * block + j;
        if (i < count && !is_dropped(draws.word[j], drop_limit)) input_gradient[i] += output_gradient[i] / keep;
    }
}
