// The heavy layers of detection on Hopper: convolutions of [n, h, w, channels] halves without padding, by wgmma on
// tiles that the copy engine brings. See docs/kernels.md, "Hopper".
//
// fused_hidden_hopper    bias, ReLU                 -> output [n, oh, ow, channels]
// fused_pooled_hopper    bias, ReLU, 2 x 2 average  -> output [n, oh / 2, ow / 2, channels]
// fused_last_hopper      bias, square, sum over 128 channels -> partial sums [part, n, oh, ow] of two maps
//
// A block computes 16 x 16 pixels of 128 channels. k runs over 64 input channels, then the kernel's columns, then its
// rows. For each column a patch of (15 + kernel) x 8 pixels is brought, every other along x: rows of the kernel are
// then multiples of 1024 bytes, even and odd x lie in products of their own, and a thread owns all of a window of the
// pool.
//
// weights [channels, k]: rows permuted so that a thread owns 8 channels side by side (channel_of).
// grid: (tiles of x and y, blocks of 128 channels, images); 8 warps multiply, the ninth asks for copies.
// Bound by mma. No atomics.

#include "hopper.cuh"

constexpr int kTile = 16;                      // pixels of a block along x and y
constexpr int kChannels = 128;                 // of a block
constexpr int kDepth = 64;                     // of k in a patch or stage: rows of 128 bytes
constexpr int kRowBytes = 1024;                // 8 pixels, or 8 channels of the weights
constexpr int kPatches = 4, kPatchBytes = (kTile + 3) * kRowBytes;
constexpr int kStages = 6, kStageBytes = kChannels * kDepth * 2;
constexpr int kWarps = 8, kThreads = 32 * (kWarps + 1);

// From the start of shared memory: patches, stages of weights, and of each two barriers.
constexpr int kBarriers = kPatches * kPatchBytes + kStages * kStageBytes;

// Part of k: input channels of one map, all taps of a square kernel.
struct Part {
    const TensorMap* map;  // [n, h, w, channels]: boxes of [1, 15 + kernel, every other of 16, 64]
    int first_channel, channels, kernel;
};

struct Tile {
    int x, y, image, rows;  // rows of four warps that have pixels: 1 or 2
};

// A ring of buffers, of which `full` and `empty` are barriers.
struct Ring {
    unsigned data, bytes, barriers;
    int count, index;
    unsigned parity;

    __device__ Ring(unsigned data, unsigned bytes, unsigned barriers, int count)
        : data(data), bytes(bytes), barriers(barriers), count(count), index(0), parity(0) {}
    __device__ unsigned buffer() const { return data + index * bytes; }
    __device__ unsigned full() const { return barriers + 16 * index; }
    __device__ unsigned empty() const { return barriers + 16 * index + 8; }
    __device__ void advance() {
        if (++index == count) index = 0, parity ^= 1;
    }
};

__device__ __forceinline__ Ring patch_ring(unsigned shared) {
    return Ring(shared, kPatchBytes, shared + kBarriers, kPatches);
}

__device__ __forceinline__ Ring weight_ring(unsigned shared) {
    return Ring(shared + kPatches * kPatchBytes, kStageBytes, shared + kBarriers + 16 * kPatches, kStages);
}

// One thread asks for all patches and weights, in the order in which they are multiplied.
__device__ void produce(
    unsigned shared, const TensorMap* weights, int first_row, const Part* parts, int count, Tile tile) {
    Ring patches = patch_ring(shared), stages = weight_ring(shared);
    int k = 0;
    for (int p = 0; p < count; ++p) {
        const Part part = parts[p];
        for (int c = 0; c < part.channels; c += kDepth) {
            for (int column = 0; column <= part.kernel; ++column) {
                wait_for(patches.empty(), patches.parity ^ 1);
                arrive_and_expect(patches.full(), (kTile - 1 + part.kernel) * kRowBytes);
                load_box(patches.buffer(), part.map, part.first_channel + c, tile.x + column, tile.y, tile.image,
                         patches.full());
                patches.advance();
                if (column == 0) continue;  // the first pair of patches belongs to column 0
                for (int row = 0; row < part.kernel; ++row, k += kDepth) {
                    wait_for(stages.empty(), stages.parity ^ 1);
                    arrive_and_expect(stages.full(), kStageBytes);
                    load_box(stages.buffer(), weights, k, first_row, stages.full());
                    stages.advance();
                }
            }
        }
    }
}

// Four warps: 8 x 16 pixels, those of even x and those of odd x.
__device__ __forceinline__ void consume(
    float (&even)[64], float (&odd)[64], unsigned shared, const Part* parts, int count) {
    Ring patches = patch_ring(shared), stages = weight_ring(shared);
    const bool signals = threadIdx.x % 32 == 0;
    const unsigned group_row = threadIdx.x / 128 * 8 * kRowBytes;
    for (int p = 0; p < count; ++p) {
        const int kernel = parts[p].kernel;
        for (int c = 0; c < parts[p].channels; c += kDepth) {
            wait_for(patches.full(), patches.parity);
            for (int column = 0; column < kernel; ++column) {
                unsigned even_rows = patches.buffer() + group_row, used_patch = patches.empty(), used_stage = 0;
                patches.advance();
                wait_for(patches.full(), patches.parity);
                unsigned odd_rows = patches.buffer() + group_row;
                for (int row = 0; row < kernel; ++row, even_rows += kRowBytes, odd_rows += kRowBytes) {
                    wait_for(stages.full(), stages.parity);
                    begin_products();
#pragma unroll
                    for (int k = 0; k < kDepth / 16; ++k) {
                        const unsigned long long b = describe_rows(stages.buffer() + 32 * k);
                        multiply_64x128(even, describe_rows(even_rows + 32 * k), b);
                        multiply_64x128(odd, describe_rows(odd_rows + 32 * k), b);
                    }
                    commit_products();
                    if (row > 0) {  // the products of the row before are done with their weights
                        wait_for_products<1>();
                        if (signals) arrive(used_stage);
                    }
                    used_stage = stages.empty();
                    stages.advance();
                }
                wait_for_products<0>();
                if (signals) arrive(used_stage), arrive(used_patch);
            }
            if (signals) arrive(patches.empty());
            patches.advance();
        }
    }
    pin(even);
    pin(odd);
}

// Makes the barriers and lets the ninth warp work. True: this warp shall multiply.
__device__ __forceinline__ bool start(
    unsigned shared, const TensorMap* weights, int first_row, const Part* parts, int count, Tile tile) {
    if (threadIdx.x == 0) {
        Ring patches = patch_ring(shared), stages = weight_ring(shared);
        for (int i = 0; i < kPatches; ++i, patches.advance())
            make_barrier(patches.full(), 1), make_barrier(patches.empty(), 4 * tile.rows);
        for (int i = 0; i < kStages; ++i, stages.advance())
            make_barrier(stages.full(), 1), make_barrier(stages.empty(), 4 * tile.rows);
        publish_barriers();
    }
    __syncthreads();
    if (threadIdx.x == 32 * kWarps) produce(shared, weights, first_row, parts, count, tile);
    return threadIdx.x < 128 * tile.rows;
}

__device__ __forceinline__ Tile find_tile(int out_h, int out_w) {
    const int across = (out_w + kTile - 1) / kTile;
    Tile tile;
    tile.x = (int)blockIdx.x % across * kTile;
    tile.y = (int)blockIdx.x / across * kTile;
    tile.image = blockIdx.z;
    tile.rows = out_h - tile.y > 8 ? 2 : 1;
    return tile;
}

// A thread owns 2 x 2 pixels from here on: rows g and g + 8 of its warp's 16 are the same x of two lines.
__device__ __forceinline__ int pixel_y(Tile tile) { return tile.y + threadIdx.x / 32 * 2; }
__device__ __forceinline__ int pixel_x(Tile tile) { return tile.x + threadIdx.x % 32 / 4 * 2; }

// Of each pixel it owns four times eight channels side by side; the first of them in the block:
__device__ __forceinline__ int channel_of(int i) { return 32 * i + threadIdx.x % 4 * 8; }

// Of pixel (y, x) = (pixel / 2, pixel % 2), channel channel_of(i) + j.
__device__ __forceinline__ float sum_of(const float (&even)[64], const float (&odd)[64], int pixel, int i, int j) {
    const int at = 16 * i + j / 2 * 4 + pixel / 2 * 2 + j % 2;
    return pixel % 2 ? odd[at] : even[at];
}

__device__ __forceinline__ unsigned shared_start() {
    extern __shared__ __align__(1024) unsigned char shared[];
    return shared_address(shared);
}

__device__ __forceinline__ float relu(float value) { return value < 0 ? 0 : value; }  // NaN stays

// In one instruction: the compiler would make four of some of these, each of which touches as many sectors.
__device__ __forceinline__ void store_8(half_bits* to, const float (&values)[8]) {
    asm volatile("st.global.v4.b32 [%0], {%1, %2, %3, %4};" ::"l"(to), "r"(pack_halves(values[0], values[1])),
                 "r"(pack_halves(values[2], values[3])), "r"(pack_halves(values[4], values[5])),
                 "r"(pack_halves(values[6], values[7])) : "memory");
}

// first_student: the block of channels from which on the student's input channels are read. Nothing is __restrict__:
// loads of the bias that the compiler moves before stores would take registers that there are not.
template <bool Pools>
__device__ __forceinline__ void hidden(
    const TensorMap& input, const TensorMap& weights, const float* bias, half_bits* output,
    int channels, int kernel, int first_student, int out_h, int out_w) {
    const Tile tile = find_tile(out_h, out_w);
    const unsigned shared = shared_start();
    const int first = blockIdx.y * kChannels, all = gridDim.y * kChannels;
    const Part part = {&input, (int)blockIdx.y < first_student ? 0 : channels, channels, kernel};
    if (!start(shared, &weights, first, &part, 1, tile)) return;
    float even[64] = {}, odd[64] = {};
    consume(even, odd, shared, &part, 1);

    const int step = Pools ? 2 : 1, high = out_h / step, wide = out_w / step;
    const int y = pixel_y(tile) / step, x = pixel_x(tile) / step;
    bias += first;
    output += (((long long)tile.image * high + y) * wide + x) * all + first;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        float add[8];
        *(float4*)add = *(const float4*)(bias + channel_of(i));
        *(float4*)(add + 4) = *(const float4*)(bias + channel_of(i) + 4);
#pragma unroll
        for (int pixel = 0; pixel < (Pools ? 1 : 4); ++pixel) {
            float values[8];
#pragma unroll
            for (int j = 0; j < 8; ++j) {
                values[j] = relu(sum_of(even, odd, pixel, i, j) + add[j]);
                if (Pools) {
                    for (int other = 1; other < 4; ++other) values[j] += relu(sum_of(even, odd, other, i, j) + add[j]);
                    values[j] *= 0.25f;
                }
            }
            if (y + pixel / 2 < high && x + pixel % 2 < wide)
                store_8(output + (pixel / 2 * wide + pixel % 2) * all + channel_of(i), values);
        }
    }
}

extern "C" __global__ void __launch_bounds__(kThreads, 1) fused_hidden_hopper(
    const __grid_constant__ TensorMap input, const __grid_constant__ TensorMap weights, const float* bias,
    half_bits* output, int channels, int kernel, int first_student, int out_h, int out_w) {
    hidden<false>(input, weights, bias, output, channels, kernel, first_student, out_h, out_w);
}

extern "C" __global__ void __launch_bounds__(kThreads, 1) fused_pooled_hopper(
    const __grid_constant__ TensorMap input, const __grid_constant__ TensorMap weights, const float* bias,
    half_bits* output, int channels, int kernel, int first_student, int out_h, int out_w) {
    hidden<true>(input, weights, bias, output, channels, kernel, first_student, out_h, out_w);
}

// Blocks of channels 0 .. parts - 1: teacher minus student, over all channels of the hidden map. The rest: autoencoder
// minus student, over the decoder's map and the student's channels. bias [2, 128 parts].
extern "C" __global__ void __launch_bounds__(kThreads, 1) fused_last_hopper(
    const __grid_constant__ TensorMap hidden_map, const __grid_constant__ TensorMap decoder,
    const __grid_constant__ TensorMap local_weights, const __grid_constant__ TensorMap global_weights,
    const float* __restrict__ bias, float* __restrict__ local, float* __restrict__ global,
    int teacher_channels, int student_channels, int kernel, int decoder_channels, int decoder_kernel, int out_h,
    int out_w) {
    const Tile tile = find_tile(out_h, out_w);
    const unsigned shared = shared_start();
    const int blocks = gridDim.y / 2;
    const bool is_local = (int)blockIdx.y < blocks;
    const int block = is_local ? blockIdx.y : blockIdx.y - blocks;
    Part parts[2] = {{&hidden_map, 0, teacher_channels, kernel},
                     {&hidden_map, teacher_channels, student_channels, kernel}};
    const TensorMap* weights = &local_weights;
    if (!is_local) parts[0] = {&decoder, 0, decoder_channels, decoder_kernel}, weights = &global_weights;
    if (!start(shared, weights, block * kChannels, parts, 2, tile)) return;
    float even[64] = {}, odd[64] = {};
    consume(even, odd, shared, parts, 2);

    float sums[4] = {};
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        float add[4];
#pragma unroll
        for (int j = 0; j < 8; ++j) {
            if (j % 4 == 0) *(float4*)add = *(const float4*)(bias + blockIdx.y * kChannels + channel_of(i) + j);
#pragma unroll
            for (int pixel = 0; pixel < 4; ++pixel) {
                const float value = sum_of(even, odd, pixel, i, j) + add[j % 4];
                sums[pixel] += value * value;
            }
        }
    }
    float* map = is_local ? local : global;
    const int y = pixel_y(tile), x = pixel_x(tile);
#pragma unroll
    for (int pixel = 0; pixel < 4; ++pixel) {
        float sum = sums[pixel];
        sum += __shfl_xor_sync(~0u, sum, 1);
        sum += __shfl_xor_sync(~0u, sum, 2);
        const int to_y = y + pixel / 2, to_x = x + pixel % 2;
        if (threadIdx.x % 4 == 0 && to_y < out_h && to_x < out_w)
            map[(((long long)block * gridDim.z + tile.image) * out_h + to_y) * out_w + to_x] = sum;
    }
}
