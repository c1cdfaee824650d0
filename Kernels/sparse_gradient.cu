// Gradients of an unpadded convolution of stride 1 whose output gradient is zero almost everywhere, as the hard-feature
// loss leaves it: the few other values are listed in order, then only they are multiplied.
//
// rows             gradient [n, co, oh, ow]        ->  entries [n, oh][co * ow], counts [n, oh]
// channels         gradient [n, co, oh, ow]        ->  entries [n, co][oh * ow], counts [n, co]
// input_gradient   entries by rows, weights        ->  input_gradient [n, ci, h, w], accumulated
// weight_gradient  entries by channels, input      ->  weight_gradient [co, ci, k, k], accumulated
//
// Right for any gradient, fast for a sparse one: listing reads it once, the products are as many as entries times
// weights of a channel. Lists keep the values' order and every sum belongs to one thread: no atomics, same bits every
// run.

struct Entry { int place; float value; };

constexpr int ListThreads = 256, Channels = 64, Columns = 64, Pitch = Columns + 1, WeightThreads = 256;

// Lists the values at(0), ..., at(length - 1) that are not zero (NaN is not). All threads of the block call it.
template <typename At>
__device__ __forceinline__ void list(int length, At at, Entry* __restrict__ entries, int* __restrict__ count) {
    __shared__ int of_warp[ListThreads / 32];
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    int found = 0;
    for (int from = 0; from < length; from += ListThreads) {
        const int i = from + threadIdx.x;
        const float value = i < length ? at(i) : 0;
        const unsigned hits = __ballot_sync(0xFFFFFFFFu, value != 0);
        if (lane == 0) of_warp[warp] = __popc(hits);
        __syncthreads();
        int before = 0, all = 0;
        for (int j = 0; j < ListThreads / 32; j++) {
            if (j == warp) before = all;
            all += of_warp[j];
        }
        if (value != 0) entries[found + before + __popc(hits & ((1u << lane) - 1))] = {i, value};
        found += all;
        __syncthreads();
    }
    if (threadIdx.x == 0) *count = found;
}

// Grid: oh, n.
extern "C" __global__ void __launch_bounds__(ListThreads) sparse_gradient_rows(
    const float* __restrict__ gradient, int co, int oh, int ow, Entry* __restrict__ entries, int* __restrict__ counts) {
    const int y = blockIdx.x, n = blockIdx.y, row = n * oh + y;
    const float* plane = gradient + (long long)n * co * oh * ow + y * ow;  // of channel 0
    list(
        co * ow, [=](int i) { return plane[(long long)(i / ow) * oh * ow + i % ow]; },
        entries + (long long)row * co * ow, counts + row);
}

// Grid: co, n.
extern "C" __global__ void __launch_bounds__(ListThreads) sparse_gradient_channels(
    const float* __restrict__ gradient, int co, int oh, int ow, Entry* __restrict__ entries, int* __restrict__ counts) {
    const int plane = blockIdx.y * co + blockIdx.x;
    const float* values = gradient + (long long)plane * oh * ow;
    list(oh * ow, [=](int i) { return values[i]; }, entries + (long long)plane * oh * ow, counts + plane);
}

// A block owns one row of 64 channels and 64 columns of the input, a thread one channel of it. Grid: ci / 64, h,
// n x tiles of columns.
extern "C" __global__ void __launch_bounds__(Channels) sparse_gradient_input(
    const Entry* __restrict__ entries, const int* __restrict__ counts, const float* __restrict__ weights, int co,
    int oh, int ow, int ci, int h, int w, int k, float* __restrict__ input_gradient) {
    __shared__ float sums[Channels][Pitch];
    __shared__ Entry staged[Channels];
    const int tiles = (w + Columns - 1) / Columns, n = blockIdx.z / tiles, left = blockIdx.z % tiles * Columns;
    const int first = blockIdx.x * Channels, channel = first + threadIdx.x, row = blockIdx.y;
    for (int x = 0; x < Columns; x++) sums[threadIdx.x][x] = 0;
    for (int ky = 0; ky < k; ky++) {
        const int y = row - ky;
        if (y < 0 || y >= oh) continue;
        const int count = counts[n * oh + y];
        const Entry* list = entries + (long long)(n * oh + y) * co * ow;
        for (int from = 0; from < count; from += Channels) {
            __syncthreads();
            if (from + threadIdx.x < count) staged[threadIdx.x] = list[from + threadIdx.x];
            __syncthreads();
            for (int i = 0; i < min(Channels, count - from) && channel < ci; i++) {
                const int output = staged[i].place / ow, x = staged[i].place % ow - left;
                if (x >= Columns || x + k <= 0) continue;
                const float* taps = weights + (((long long)output * ci + channel) * k + ky) * k;
                for (int kx = 0; kx < k; kx++)
                    if (x + kx >= 0 && x + kx < Columns) sums[threadIdx.x][x + kx] += staged[i].value * taps[kx];
            }
        }
    }
    __syncthreads();
    const int column = left + threadIdx.x;
    if (column >= w) return;
    for (int i = 0; i < min(Channels, ci - first); i++)
        input_gradient[(((long long)n * ci + first + i) * h + row) * w + column] += sums[i][threadIdx.x];
}

// A thread owns a weight. Grid: ci * k * k / 256, co.
extern "C" __global__ void __launch_bounds__(WeightThreads, 4) sparse_gradient_weights(
    const Entry* __restrict__ entries, const int* __restrict__ counts, const float* __restrict__ input, int samples,
    int co, int oh, int ow, int ci, int h, int w, int k, float* __restrict__ weight_gradient) {
    const int weight = blockIdx.x * WeightThreads + threadIdx.x, output = blockIdx.y, each = ci * k * k;
    if (weight >= each) return;
    const int channel = weight / (k * k), ky = weight / k % k, kx = weight % k;
    float sum = 0;
    for (int n = 0; n < samples; n++) {
        const float* from = input + (((long long)n * ci + channel) * h + ky) * w + kx;
        const int count = counts[n * co + output];
        const Entry* list = entries + (long long)(n * co + output) * oh * ow;
        for (int i = 0; i < count; i++) sum += list[i].value * from[list[i].place / ow * w + list[i].place % ow];
    }
    weight_gradient[(long long)output * each + weight] += sum;
}
