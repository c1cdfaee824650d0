// Mean of (a - b)^2, or of a^2 where b is null.
//
// partial    a, b [count]        ->  partial [blocks]: sums in double
// forward    partial [blocks]    ->  loss [1]
// backward   loss_gradient [1]   ->  a_gradient, b_gradient [count], accumulated; each may be null
//
// The grid of `partial` depends on the count alone, and so does the order of the sum: same bits on every device.

#include "common.cuh"
#include "reduction.cuh"

extern "C" __global__ void mean_squared_error_partial(
    const float* __restrict__ a, const float* __restrict__ b, long long count, double* __restrict__ partial) {
    double sum = 0;
    for (long long i = global_thread_index(); i < count; i += grid_threads()) {
        const double difference = b ? a[i] - b[i] : a[i];
        sum += difference * difference;
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

// One block.
extern "C" __global__ void mean_squared_error_forward(
    const double* __restrict__ partial, int blocks, long long count, float* __restrict__ loss) {
    double sum = 0;
    for (int i = threadIdx.x; i < blocks; i += blockDim.x) sum += partial[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0) *loss = (float)(sum / count);
}

// two_over_count: what the host divides once.
extern "C" __global__ void mean_squared_error_backward(
    const float* __restrict__ a, const float* __restrict__ b, const float* __restrict__ loss_gradient,
    float two_over_count, float* __restrict__ a_gradient, float* __restrict__ b_gradient, long long count) {
    const long long i = global_thread_index();
    if (i >= count) return;

    const float scaled = *loss_gradient * two_over_count * (b ? a[i] - b[i] : a[i]);
    if (a_gradient) a_gradient[i] += scaled;
    if (b_gradient) b_gradient[i] -= scaled;
}
