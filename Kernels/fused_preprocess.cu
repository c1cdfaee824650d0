// Frames to the networks' inputs in half precision, one launch for all frames and both networks: squash-resize with the
// bits of preprocess.cu, then bytes over 256, which half holds exactly; mean and deviation are in the next weights.
//
// images [n, height, stride], 8 bits  ->  per target  output [n, out_h, pitch, 4] half: red, green, blue, 1 inside
//
// A block of 32 x 8 threads makes as many pixels: it resizes 32 source rows at a time along x into shared memory, and
// each thread adds what its pixel takes of them. No limit on the shrink factor; rows at a tile's edge are resized twice
// (a quarter more work where the image shrinks). Columns from out_w on are zeros. Grid: x, y, target x sample.

#include "preprocess.cuh"
#include "tensor_core.cuh"

constexpr int TileWidth = 32, TileHeight = 8, StagedRows = 32;

struct Filter { const int *starts, *offsets, *weights; };  // as in preprocess.cu

// As the host lays it out: eight-byte words, then four numbers.
struct Target {
    Filter columns, rows;
    half_bits* output;
    int height, width, pitch, unused;
};

// Weighted sums of pixels, as Pillow rounds them.
struct Sums {
    unsigned red = 1u << (fraction_bits - 1), green = red, blue = red;

    __device__ void add(Pixel p, int weight) {
        red += p.red * weight, green += p.green * weight, blue += p.blue * weight;
    }
    __device__ Pixel bytes() const { return {(int)to_byte(red), (int)to_byte(green), (int)to_byte(blue)}; }
    __device__ unsigned packed() const { return to_byte(red) | to_byte(green) << 8 | to_byte(blue) << 16; }
};

extern "C" __global__ void __launch_bounds__(TileWidth * TileHeight) fused_preprocess(
    const unsigned char* __restrict__ images, long long image_bytes, int stride, int pixel_bytes, int red, int blue,
    int samples, const Target* __restrict__ targets) {
    __shared__ unsigned staged[StagedRows][TileWidth];
    const Target& target = targets[blockIdx.z / samples];
    const int sample = blockIdx.z % samples, top = blockIdx.y * TileHeight;
    const int x = blockIdx.x * TileWidth + threadIdx.x, y = top + threadIdx.y;
    if (blockIdx.x * TileWidth >= target.pitch || top >= target.height) return;  // the other target is larger

    const unsigned char* image = images + sample * image_bytes;
    const int column = min(x, target.width - 1), row = min(y, target.height - 1);
    const int begin = target.columns.offsets[column], end = target.columns.offsets[column + 1];
    const unsigned char* first = image + (long long)target.columns.starts[column] * pixel_bytes;
    const int* row_weights = target.rows.weights + target.rows.offsets[row];
    const int start = target.rows.starts[row];
    const int stop = start + target.rows.offsets[row + 1] - target.rows.offsets[row];
    const int bottom = min(top + TileHeight, target.height) - 1;
    const int last = target.rows.starts[bottom] + target.rows.offsets[bottom + 1] - target.rows.offsets[bottom];

    Sums mine;
    for (int staged_from = target.rows.starts[top]; staged_from < last; staged_from += StagedRows) {
        const int staged_to = min(staged_from + StagedRows, last);
        for (int source = staged_from + threadIdx.y; source < staged_to; source += TileHeight) {
            const unsigned char* pixel = first + (long long)source * stride;
            Sums sums;
            for (int i = begin; i < end; i++, pixel += pixel_bytes)
                sums.add(load(pixel, pixel_bytes, red, blue), target.columns.weights[i]);
            staged[source - staged_from][threadIdx.x] = sums.packed();
        }
        __syncthreads();
        for (int source = max(start, staged_from); source < min(stop, staged_to); source++) {
            const unsigned pixel = staged[source - staged_from][threadIdx.x];
            mine.add({(int)(pixel & 255), (int)(pixel >> 8 & 255), (int)(pixel >> 16)}, row_weights[source - start]);
        }
        __syncthreads();
    }

    if (x >= target.pitch || y >= target.height) return;
    constexpr float scale = 1 / 256.0f;
    constexpr unsigned one = 0x3C00;
    const Pixel p = mine.bytes();
    uint2 channels = {pack_halves(p.red * scale, p.green * scale), to_half(p.blue * scale) | one << 16};
    if (x >= target.width) channels = {0, 0};
    const long long pixel = ((long long)sample * target.height + y) * target.pitch + x;
    *(uint2*)(target.output + pixel * 4) = channels;
}
