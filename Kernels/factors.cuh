// What the fused convolutions multiply and how maps hold it: halves, integers of 8 bits, or e4m3 (docs/precision.md).
//
// Numbers of 8 bits stand for themselves times a step, one for each channel of a map: the host multiplies the steps of
// a layer's inputs into its weights, and divides factor and bias of its outputs by theirs. Kernels never see a step.
#pragma once

#include "tensor_core.cuh"

struct Halves {
    using Value = half_bits;
    using Sum = float;
    using Scale = float;  // the bias, at which sums start

    __device__ static void start(Sum (&pair)[2], const Scale* scale) {
        const float2 bias = *(const float2*)scale;
        pair[0] = bias.x, pair[1] = bias.y;
    }

    // What the sum of a channel stands for.
    __device__ static float finish(Sum sum, const Scale*) { return sum; }

    __device__ static void multiply(Sum (&sum)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
        multiply_half(sum, a, b0, b1);
    }

    // Stores eight neighbouring channels, value(pair, which) each.
    template <typename F>
    __device__ static void store(Value* to, F value) {
        *(uint4*)to = make_uint4(
            pack_halves(value(0, 0), value(0, 1)), pack_halves(value(1, 0), value(1, 1)),
            pack_halves(value(2, 0), value(2, 1)), pack_halves(value(3, 0), value(3, 1)));
    }
};

#if __CUDA_ARCH__ >= 800
// Factor and bias of a channel, behind sums that start at zero.
template <typename Sum>
struct Bytes {
    using Value = unsigned char;
    using Scale = float2;

    __device__ static void start(Sum (&pair)[2], const Scale*) { pair[0] = pair[1] = 0; }

    __device__ static float finish(Sum sum, const Scale* scale) { return fmaf((float)sum, scale->x, scale->y); }
};

// Pixels 0 to 255, weights -127 to 127, sums exact.
struct Integers : Bytes<int> {
    using Sum = int;

    __device__ static void multiply(Sum (&sum)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
        multiply_integers(sum, a, b0, b1);
    }

    template <typename F>
    __device__ static void store(Value* to, F value) {
        *(uint2*)to = make_uint2(
            pack_integers(value(0, 0), value(0, 1), value(1, 0), value(1, 1)),
            pack_integers(value(2, 0), value(2, 1), value(3, 0), value(3, 1)));
    }
};
#endif

#if __CUDA_ARCH__ >= 890
struct Floats : Bytes<float> {
    using Sum = float;

    __device__ static void multiply(Sum (&sum)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
        multiply_floats(sum, a, b0, b1);
    }

    template <typename F>
    __device__ static void store(Value* to, F value) {
        *(uint2*)to = make_uint2(
            pack_floats(value(0, 0), value(0, 1)) | pack_floats(value(1, 0), value(1, 1)) << 16,
            pack_floats(value(2, 0), value(2, 1)) | pack_floats(value(3, 0), value(3, 1)) << 16);
    }
};
#endif
