// The hard-feature loss (paper, section 3.2): per sample the mean of those squares (teacher - student)^2 that reach
// their q-quantile, averaged over the batch. quantile.cu selects the thresholds between `squares` and `partial`.
//
// squares    teacher, student [count]                ->  squares [count]
// partial    squares [samples, values], thresholds   ->  partial sums and counts [samples, blocks]
// forward    partial sums and counts                 ->  loss [1]
// count      teacher, student, thresholds            ->  hard [samples], added to: how many reach the threshold
// backward   ... hard [samples], loss_gradient [1]   ->  student_gradient [samples, values], accumulated
//
// "Reaches" is "is not below": NaN counts, and so reaches the loss. Sums in double, in an order that depends on the
// shapes alone; the only atomics add whole numbers.

#include "common.cuh"
#include "reduction.cuh"

// No sum that could be fused: forward and backward see the same bits.
__device__ __forceinline__ float squared_difference(float teacher, float student) {
    const float difference = teacher - student;
    return __fmul_rn(difference, difference);
}

extern "C" __global__ void hard_feature_loss_squares(
    const float* __restrict__ teacher, const float* __restrict__ student, float* __restrict__ squares,
    long long count) {
    const long long i = global_thread_index();
    if (i < count) squares[i] = squared_difference(teacher[i], student[i]);
}

extern "C" __global__ void hard_feature_loss_partial(
    const float* __restrict__ squares, const float* __restrict__ thresholds, int samples, long long values,
    double* __restrict__ sums, long long* __restrict__ counts) {
    for (int sample = blockIdx.y; sample < samples; sample += gridDim.y) {
        const float threshold = thresholds[sample];
        double sum = 0;
        long long count = 0;
        for (long long i = global_thread_index(); i < values; i += grid_threads()) {
            const float square = squares[sample * values + i];
            if (square < threshold) continue;
            sum += square;
            count++;
        }
        sum = block_sum(sum);
        count = block_sum(count);
        if (threadIdx.x == 0) {
            sums[(long long)sample * gridDim.x + blockIdx.x] = sum;
            counts[(long long)sample * gridDim.x + blockIdx.x] = count;
        }
    }
}

// One block.
extern "C" __global__ void hard_feature_loss_forward(
    const double* __restrict__ sums, const long long* __restrict__ counts, int samples, int blocks,
    float* __restrict__ loss) {
    double total = 0;
    for (int sample = 0; sample < samples; sample++) {
        double sum = 0;
        long long count = 0;
        for (int i = threadIdx.x; i < blocks; i += blockDim.x) {
            sum += sums[(long long)sample * blocks + i];
            count += counts[(long long)sample * blocks + i];
        }
        total += block_sum(sum) / block_sum(count);
    }
    if (threadIdx.x == 0) *loss = (float)(total / samples);
}

extern "C" __global__ void hard_feature_loss_count(
    const float* __restrict__ teacher, const float* __restrict__ student, const float* __restrict__ thresholds,
    int samples, long long values, unsigned long long* __restrict__ hard) {
    for (int sample = blockIdx.y; sample < samples; sample += gridDim.y) {
        const float threshold = thresholds[sample];
        unsigned long long count = 0;
        for (long long i = global_thread_index(); i < values; i += grid_threads()) {
            const long long at = sample * values + i;
            if (!(squared_difference(teacher[at], student[at]) < threshold)) count++;
        }
        count = block_sum(count);
        if (threadIdx.x == 0 && count != 0) atomicAdd(&hard[sample], count);
    }
}

extern "C" __global__ void hard_feature_loss_backward(
    const float* __restrict__ teacher, const float* __restrict__ student, const float* __restrict__ thresholds,
    const unsigned long long* __restrict__ hard, const float* __restrict__ loss_gradient, int samples, long long values,
    float* __restrict__ student_gradient) {
    const long long i = global_thread_index();
    if (i >= values) return;

    for (int sample = blockIdx.y; sample < samples; sample += gridDim.y) {
        const float threshold = thresholds[sample];
        const long long at = sample * values + i;
        if (squared_difference(teacher[at], student[at]) < threshold) continue;
        // Without a threshold the loss is NaN, and so is its gradient everywhere.
        const float scale = threshold != threshold ? threshold : 2 * *loss_gradient / ((float)hard[sample] * samples);
        student_gradient[at] += scale * (student[at] - teacher[at]);
    }
}
