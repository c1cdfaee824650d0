// One step of Adam with L2 weight decay added to the gradient, fused: one reading and writing of everything.
//
// gradient [count]  ->  first_moment, second_moment, parameter [count], in place
//
// adam_all does so with many parameters in one launch, and leaves their gradients zero.
//
// The formulas are those of torch.optim.Adam. What depends on the step alone the host computes in double: correction2 =
// sqrt(1 - beta2^step), step_size = learning rate / (1 - beta1^step). One thread per value, or a block per 1024 values
// of one parameter; memory bound.

#include "common.cuh"
#include "step.cuh"

struct Settings { float weight_decay, beta1, rest1, beta2, rest2, epsilon; };

__device__ __forceinline__ void update(
    float gradient, const Settings& s, float correction2, float step_size, float& first_moment, float& second_moment,
    float& parameter) {
    const float value = parameter;
    const float g = gradient + value * s.weight_decay;
    const float first = first_moment * s.beta1 + g * s.rest1;
    const float second = second_moment * s.beta2 + g * s.rest2 * g;
    first_moment = first;
    second_moment = second;
    parameter = value - first * step_size / (sqrtf(second) / correction2 + s.epsilon);
}

extern "C" __global__ void adam(
    const float* __restrict__ gradient, float weight_decay, float beta1, float rest1, float beta2, float rest2,
    float correction2, float step_size, float epsilon, float* __restrict__ first_moment,
    float* __restrict__ second_moment, float* __restrict__ parameter, long long count) {
    const long long i = global_thread_index();
    if (i >= count) return;
    update(
        gradient[i], {weight_decay, beta1, rest1, beta2, rest2, epsilon}, correction2, step_size, first_moment[i],
        second_moment[i], parameter[i]);
}

// As the host lays them out.
struct Tensors { float *gradient, *first_moment, *second_moment, *parameter; long long count; };
struct Chunk { int tensor, index; };

constexpr int Threads = 256, ValuesPerThread = 4;

// `step`, where there is one, takes the place of the two arguments before it.
extern "C" __global__ void __launch_bounds__(Threads) adam_all(
    const Tensors* __restrict__ tensors, const Chunk* __restrict__ chunks, float weight_decay, float beta1, float rest1,
    float beta2, float rest2, float epsilon, float correction2, float step_size, const StepValues* __restrict__ step) {
    const Chunk chunk = chunks[blockIdx.x];
    const Tensors t = tensors[chunk.tensor];
    if (step) correction2 = step->correction2, step_size = step->step_size;
    const long long begin = (long long)chunk.index * Threads * ValuesPerThread + threadIdx.x;
#pragma unroll
    for (int j = 0; j < ValuesPerThread; j++) {
        const long long i = begin + j * Threads;
        if (i >= t.count) return;
        update(
            t.gradient[i], {weight_decay, beta1, rest1, beta2, rest2, epsilon}, correction2, step_size,
            t.first_moment[i], t.second_moment[i], t.parameter[i]);
        t.gradient[i] = 0;
    }
}
