// The autoencoder's encoder, two layers to a launch: convolutions 4 x 4 of stride 2 and padding 1 with ReLU, half in
// and out, float sums. A block computes what its outputs need of the layer between in shared memory; it never reaches
// global memory.
//
// first    image [n, 256, 256, 4]  ->  [n, 64, 64, 32]  8 x 8 outputs a block, 18 x 18 between: 1.27 times the work
// second   [n, 64, 64, 32]         ->  [n, 16, 16, 64]  4 x 4 outputs a block, 10 x 10 between: 1.56 times the work
//
// Grid: tiles, samples. Bound by latency at batch 1; the products are on tensor cores.

#include "half_patch.cuh"

constexpr int FirstThreads = 128, SecondThreads = 256;

struct Rectangle { int top, left, rows, columns; };  // of a map, in its pixels; may reach beyond it

// Zeros beyond the map; pixels of `chunks` x 16 bytes into a patch.
template <typename P>
__device__ __forceinline__ void fill_patch(
    void* patch, const half_bits* __restrict__ map, int height, int width, Rectangle r) {
    constexpr int chunks = P::Channels / 8;
    for (int i = threadIdx.x; i < r.rows * r.columns * chunks; i += blockDim.x) {
        const int pixel = i / chunks, chunk = i % chunks, y = pixel / r.columns, x = pixel % r.columns;
        const int from_y = r.top + y, from_x = r.left + x;
        const bool inside = from_y >= 0 && from_y < height && from_x >= 0 && from_x < width;
        const half_bits* from = map + ((long long)from_y * width + from_x) * P::Channels + chunk * 8;
        *(uint4*)((char*)patch + P::offset(P::index(y, x), chunk)) =
            inside ? *(const uint4*)from : make_uint4(0, 0, 0, 0);
    }
}

// ---- 3 -> 32 -> 32 channels

constexpr int ImageSide = 256, FirstSide = 128, SecondSide = 64, FirstTile = 8;
constexpr int FirstBetween = 2 * FirstTile + 2, ImagePatch = 2 * FirstBetween + 2;
using BetweenFirst = Patch<32, FirstBetween, 2>;

struct FirstShared {
    uint2 image[ImagePatch * ImagePatch];
    uint4 between[FirstBetween * FirstBetween * 4];
};

__device__ __forceinline__ void load_image(uint2* patch, const uint2* __restrict__ image, int top, int left) {
    for (int i = threadIdx.x; i < ImagePatch * ImagePatch; i += FirstThreads) {
        const int y = top + i / ImagePatch, x = left + i % ImagePatch;
        const bool inside = y >= 0 && y < ImageSide && x >= 0 && x < ImageSide;
        patch[i] = inside ? image[y * ImageSide + x] : make_uint2(0, 0);
    }
}

// Four pixels of four channels are 16 of k, one row of the kernel: no ldmatrix, a lane reads its two pairs.
__device__ __forceinline__ void convolve_image(
    float (&sum)[4][4], const uint2* patch, int low, int high, const uint4 (&b)[4][2]) {
    const int word = threadIdx.x % 4;
    #pragma unroll
    for (int ky = 0; ky < 4; ky++) {
        const unsigned* at_low = (const unsigned*)(patch + low + ky * ImagePatch) + word;
        const unsigned* at_high = (const unsigned*)(patch + high + ky * ImagePatch) + word;
        const unsigned a[4] = {at_low[0], at_high[0], at_low[4], at_high[4]};
        #pragma unroll
        for (int j = 0; j < 2; j++) {
            multiply_half(sum[2 * j], a, b[ky][j].x, b[ky][j].y);
            multiply_half(sum[2 * j + 1], a, b[ky][j].z, b[ky][j].w);
        }
    }
}

extern "C" __global__ void __launch_bounds__(FirstThreads) fused_encoder_first(
    const half_bits* __restrict__ image, const uint4* __restrict__ weights1, const float* __restrict__ bias1,
    const uint4* __restrict__ weights2, const float* __restrict__ bias2, half_bits* __restrict__ output) {
    extern __shared__ uint4 shared[];
    FirstShared& memory = *(FirstShared*)shared;
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    constexpr int tiles = SecondSide / FirstTile;
    const int top = blockIdx.x / tiles * FirstTile, left = blockIdx.x % tiles * FirstTile;
    const long long sample = blockIdx.y;
    load_image(
        memory.image, (const uint2*)image + sample * ImageSide * ImageSide, 4 * top - 3, 4 * left - 3);
    uint4 b[4][2];
    #pragma unroll
    for (int i = 0; i < 8; i++) b[i / 2][i % 2] = weights1[i * 32 + lane];
    __syncthreads();

    constexpr int between = FirstBetween * FirstBetween;
    for (int first = warp * 16; first < between; first += FirstThreads / 2) {
        int pixel[2], corner[2];
        #pragma unroll
        for (int half = 0; half < 2; half++) {
            pixel[half] = first + 8 * half + lane / 4;
            const int valid = min(pixel[half], between - 1);
            corner[half] = 2 * (valid / FirstBetween) * ImagePatch + 2 * (valid % FirstBetween);
        }
        float sum[4][4] = {};
        convolve_image(sum, memory.image, corner[0], corner[1], b);
        #pragma unroll
        for (int half = 0; half < 2; half++) {
            if (pixel[half] >= between) continue;
            const int y = pixel[half] / FirstBetween, x = pixel[half] % FirstBetween;
            const int map_y = 2 * top - 1 + y, map_x = 2 * left - 1 + x;
            const bool inside = map_y >= 0 && map_y < FirstSide && map_x >= 0 && map_x < FirstSide;
            const uint2 low = finished(sum[0], sum[1], half, bias_of_pair(bias1, 0));
            const uint2 high = finished(sum[2], sum[3], half, bias_of_pair(bias1, 1));
            *(uint4*)((char*)memory.between + BetweenFirst::offset(BetweenFirst::index(y, x), lane % 4)) =
                inside ? make_uint4(low.x, low.y, high.x, high.y) : make_uint4(0, 0, 0, 0);
        }
    }
    __syncthreads();

    const int rows = 2 * warp;  // a warp has two rows of eight outputs
    const int corner[1] = {BetweenFirst::corner(rows + lane % 16 / 8, lane % 8)};
    float sum[1][4][4] = {};
    convolve_patch<BetweenFirst, 4, 1, 2>(sum, memory.between, corner, weights2, 2);
    #pragma unroll
    for (int half = 0; half < 2; half++) {
        const uint2 low = finished(sum[0][0], sum[0][1], half, bias_of_pair(bias2, 0));
        const uint2 high = finished(sum[0][2], sum[0][3], half, bias_of_pair(bias2, 1));
        const long long pixel = (sample * SecondSide + top + rows + half) * SecondSide + left + lane / 4;
        *(uint4*)(output + pixel * 32 + lane % 4 * 8) = make_uint4(low.x, low.y, high.x, high.y);
    }
}

// ---- 32 -> 64 -> 64 channels

constexpr int ThirdSide = 32, FourthSide = 16, SecondTile = 4;
constexpr int SecondBetween = 2 * SecondTile + 2, InputPatch = 2 * SecondBetween + 2;
using InputOfThird = Patch<32, InputPatch, 2>;
using BetweenSecond = Patch<64, SecondBetween, 2>;

struct SecondShared {
    union {
        uint4 input[InputPatch * InputPatch * 4];
        float parts[4][SecondTile * SecondTile][64];  // one per row of the kernel
    };
    uint4 between[SecondBetween * SecondBetween * 8];
};

__device__ __forceinline__ void third_layer(
    SecondShared& memory, const uint4* __restrict__ weights, const float* __restrict__ bias, int top, int left) {
    constexpr int between = SecondBetween * SecondBetween;
    const int lane = threadIdx.x % 32, first = threadIdx.x / 32 * 16;
    if (first >= between) return;
    const int mine = min(first + lane % 16, between - 1);
    const int corner[1] = {InputOfThird::corner(mine / SecondBetween, mine % SecondBetween)};
    float sum[1][8][4] = {};
    convolve_patch<InputOfThird, 4, 1, 4>(sum, memory.input, corner, weights, 4);
    #pragma unroll
    for (int half = 0; half < 2; half++) {
        const int pixel = first + 8 * half + lane / 4;
        if (pixel >= between) continue;
        const int y = pixel / SecondBetween, x = pixel % SecondBetween;
        const int map_y = 2 * top - 1 + y, map_x = 2 * left - 1 + x;
        const bool inside = map_y >= 0 && map_y < ThirdSide && map_x >= 0 && map_x < ThirdSide;
        #pragma unroll
        for (int j = 0; j < 4; j += 2) {
            const uint2 low = finished(sum[0][2 * j], sum[0][2 * j + 1], half, bias_of_pair(bias, j));
            const uint2 high = finished(sum[0][2 * j + 2], sum[0][2 * j + 3], half, bias_of_pair(bias, j + 1));
            const int chunk = j / 2 * 4 + lane % 4;
            *(uint4*)((char*)memory.between + BetweenSecond::offset(BetweenSecond::index(y, x), chunk)) =
                inside ? make_uint4(low.x, low.y, high.x, high.y) : make_uint4(0, 0, 0, 0);
        }
    }
}

// Sixteen outputs: each pair of warps takes one row of the kernel, half of the channels each.
__device__ __forceinline__ void fourth_layer_parts(SecondShared& memory, const uint4* __restrict__ weights) {
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, ky = warp / 2, first_pair = warp % 2 * 2;
    const int corner[1] = {BetweenSecond::corner(lane % 16 / SecondTile, lane % SecondTile)};
    float sum[1][4][4] = {};
    constexpr int fragments_of_row = 4 * 4 * 4 * 32;
    convolve_patch<BetweenSecond, 4, 1, 2>(
        sum, memory.between, corner, weights + ky * fragments_of_row + first_pair * 32, 4, ky, ky + 1);
    #pragma unroll
    for (int tile = 0; tile < 4; tile++)
        #pragma unroll
        for (int i = 0; i < 4; i++)
            memory.parts[ky][lane / 4 + i / 2 * 8][channel_of_pair(first_pair + tile / 2) + tile % 2 * 2 + i % 2] =
                sum[0][tile][i];
}

extern "C" __global__ void __launch_bounds__(SecondThreads) fused_encoder_second(
    const half_bits* __restrict__ input, const uint4* __restrict__ weights3, const float* __restrict__ bias3,
    const uint4* __restrict__ weights4, const float* __restrict__ bias4, half_bits* __restrict__ output) {
    extern __shared__ uint4 shared[];
    SecondShared& memory = *(SecondShared*)shared;
    constexpr int tiles = FourthSide / SecondTile;
    const int top = blockIdx.x / tiles * SecondTile, left = blockIdx.x % tiles * SecondTile;
    const long long sample = blockIdx.y;
    fill_patch<InputOfThird>(
        memory.input, input + sample * SecondSide * SecondSide * 32, SecondSide, SecondSide,
        {4 * top - 3, 4 * left - 3, InputPatch, InputPatch});
    __syncthreads();
    third_layer(memory, weights3, bias3, top, left);
    __syncthreads();
    fourth_layer_parts(memory, weights4);
    __syncthreads();

    const int pixel = threadIdx.x / 16, channel = threadIdx.x % 16 * 4;
    float sums[4];
    #pragma unroll
    for (int i = 0; i < 4; i++) {
        float sum = bias4[channel + i];
        for (int part = 0; part < 4; part++) sum += memory.parts[part][pixel][channel + i];
        sums[i] = rectified(sum);
    }
    const long long at = (sample * FourthSide + top + pixel / SecondTile) * FourthSide + left + pixel % SecondTile;
    *(uint2*)(output + at * 64 + channel) = {pack_halves(sums[0], sums[1]), pack_halves(sums[2], sums[3])};
}
