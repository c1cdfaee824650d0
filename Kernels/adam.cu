// One step of Adam with L2 weight decay added to the gradient, fused: one reading and writing of everything.
//
// gradient [count]  ->  first_moment, second_moment, parameter [count], in place
//
// The formulas are those of torch.optim.Adam. What depends on the step alone the host computes in double: correction2 =
// sqrt(1 - beta2^step), step_size = learning rate / (1 - beta1^step). One thread per value; memory bound.

#include "common.cuh"

extern "C" __global__ void adam(
    const float* __restrict__ gradient, float weight_decay, float beta1, float rest1, float beta2, float rest2,
    float correction2, float step_size, float epsilon, float* __restrict__ first_moment,
    float* __restrict__ second_moment, float* __restrict__ parameter, long long count) {
    const long long i = global_thread_index();
    if (i >= count) return;

    const float value = parameter[i];
    const float g = gradient[i] + value * weight_decay;
    const float first = first_moment[i] * beta1 + g * rest1;
    const float second = second_moment[i] * beta2 + g * rest2 * g;
    first_moment[i] = first;
    second_moment[i] = second;
    parameter[i] = value - first * step_size / (sqrtf(second) / correction2 + epsilon);
}
