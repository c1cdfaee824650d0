// Squash-resize with the bits of preprocess.cu by blocks of 32 x 8 threads, one pixel each: a block resizes 32 source
// rows at a time along x into shared memory, and each thread adds what its pixel takes of them. No limit on the shrink
// factor; rows at a tile's edge are resized twice (a quarter more work where the image shrinks).
#pragma once

#include "preprocess.cuh"

constexpr int TileWidth = 32, TileHeight = 8, StagedRows = 32;

struct Filter { const int *starts, *offsets, *weights; };  // as in preprocess.cu

// An image of 8-bit pixels; the numbers as in preprocess.cuh.
struct Frame {
    const unsigned char* pixels;
    int stride, pixel_bytes, red, blue;
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

// This thread's pixel of a target of `width` x `height`, at the grid's x and y; beyond it that of its edge. All threads
// of a block call it. `recolour` changes each pixel that is read.
template <typename Recolour>
__device__ __forceinline__ Pixel resize_tile(
    const Frame& frame, const Filter& columns, const Filter& rows, int width, int height, Recolour recolour) {
    __shared__ unsigned staged[StagedRows][TileWidth];
    const int top = blockIdx.y * TileHeight;
    const int x = blockIdx.x * TileWidth + threadIdx.x, y = top + threadIdx.y;
    const int column = min(x, width - 1), row = min(y, height - 1);
    const int begin = columns.offsets[column], end = columns.offsets[column + 1];
    const unsigned char* first = frame.pixels + (long long)columns.starts[column] * frame.pixel_bytes;
    const int* row_weights = rows.weights + rows.offsets[row];
    const int start = rows.starts[row];
    const int stop = start + rows.offsets[row + 1] - rows.offsets[row];
    const int bottom = min(top + TileHeight, height) - 1;
    const int last = rows.starts[bottom] + rows.offsets[bottom + 1] - rows.offsets[bottom];

    Sums mine;
    for (int staged_from = rows.starts[top]; staged_from < last; staged_from += StagedRows) {
        const int staged_to = min(staged_from + StagedRows, last);
        for (int source = staged_from + threadIdx.y; source < staged_to; source += TileHeight) {
            const unsigned char* pixel = first + (long long)source * frame.stride;
            Sums sums;
            for (int i = begin; i < end; i++, pixel += frame.pixel_bytes)
                sums.add(recolour(load(pixel, frame.pixel_bytes, frame.red, frame.blue)), columns.weights[i]);
            staged[source - staged_from][threadIdx.x] = sums.packed();
        }
        __syncthreads();
        for (int source = max(start, staged_from); source < min(stop, staged_to); source++) {
            const unsigned pixel = staged[source - staged_from][threadIdx.x];
            mine.add({(int)(pixel & 255), (int)(pixel >> 8 & 255), (int)(pixel >> 16)}, row_weights[source - start]);
        }
        __syncthreads();
    }
    return mine.bytes();
}
