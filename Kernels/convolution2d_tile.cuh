// A block's tile of a matrix product C[rows, columns] = A[rows, k] B[k, columns]: what all directions of a convolution
// in float32 share. Rows are channels, columns are pixels (or, for the weight gradient, the values of one filter).
//
// Four stages of 8 k in shared memory, filled by cp.async while an earlier one is multiplied: one barrier per stage.
// A stage's rows are 8 floats longer than a multiple of 32, so that neighbouring k lie 8 banks apart: fragments of mma
// and the transposed stores of the weight gradient meet no bank twice.
#pragma once

#include "convolution2d.cuh"

constexpr int Depth = 8, Stages = 4;

template <int BlockRows, int BlockColumns, int RowsOfWarp, int ColumnsOfWarp>
struct Tile {
    static constexpr int Rows = BlockRows, Columns = BlockColumns, WarpRows = RowsOfWarp, WarpColumns = ColumnsOfWarp;
    static constexpr int WarpsDown = Rows / WarpRows;
    static constexpr int Threads = 32 * WarpsDown * (Columns / WarpColumns);
    static constexpr int Loads = Depth * Columns / Threads;  // values of B that a thread brings per stage

    static_assert(Rows * Depth == 4 * Threads && Loads == 4, "a thread brings four values of A and of B");

    struct Stage { float a[Depth][Rows + 8], b[Depth][Columns + 8]; };

    __device__ static int warp_row() { return threadIdx.x / 32 % WarpsDown * WarpRows; }
    __device__ static int warp_column() { return threadIdx.x / 32 / WarpsDown * WarpColumns; }
};

using Large = Tile<128, 128, 32, 64>;
using Medium = Tile<64, 64, 32, 32>;
using Small = Tile<32, 32, 16, 32>;

// Blocks that a multiprocessor shall hold: registers allow 16 warps of 128 each, but a Turing has too little shared
// memory for two large tiles.
#if __CUDA_ARCH__ >= 800
template <typename T> constexpr int Resident = 512 / T::Threads;
#else
template <typename T> constexpr int Resident = 256 / T::Threads;
#endif

// Products on the ordinary float units. A lane owns groups of 4 x 4: rows 4 (lane / 8) .. + 3 of every 16, and of every
// 32 columns those that leave lane % 8 when divided by 8. Reading the latter as one float4 takes their transposition in
// shared memory (`slot`); in exchange eight lanes store eight neighbouring floats.
template <typename T>
struct FloatProduct {
    using Shape = T;
    static constexpr int Down = T::WarpRows / 16, Across = T::WarpColumns / 32;

    float sum[4 * Down][4 * Across];

    // Where a column lies in a stage, and which column lies there.
    __device__ static int slot(int column) { return (column & ~31) | (column & 7) << 2 | (column & 31) >> 3; }
    __device__ static int column_in(int slot) { return (slot & ~31) | (slot & 3) << 3 | (slot & 31) >> 2; }

    __device__ static int row(int i) { return T::warp_row() + i / 4 * 16 + threadIdx.x % 32 / 8 * 4 + i % 4; }
    __device__ static int column(int j) { return T::warp_column() + j / 4 * 32 + j % 4 * 8 + threadIdx.x % 8; }

    // Every sum starts at its row's bias, or zero.
    __device__ void start(const float* bias, int first_row, int rows) {
        #pragma unroll
        for (int i = 0; i < 4 * Down; i++) {
            const float value = bias && first_row + row(i) < rows ? bias[first_row + row(i)] : 0.0f;
            #pragma unroll
            for (int j = 0; j < 4 * Across; j++) sum[i][j] = value;
        }
    }

    __device__ void multiply(const typename T::Stage& stage) {
        #pragma unroll
        for (int k = 0; k < Depth; k++) {
            float4 a[Down], b[Across];
            #pragma unroll
            for (int i = 0; i < Down; i++) a[i] = *(const float4*)&stage.a[k][row(4 * i)];
            #pragma unroll
            for (int j = 0; j < Across; j++)
                b[j] = *(const float4*)&stage.b[k][T::warp_column() + 32 * j + threadIdx.x % 8 * 4];
            #pragma unroll
            for (int i = 0; i < 4 * Down; i++)
                #pragma unroll
                for (int j = 0; j < 4 * Across; j++)
                    sum[i][j] = fmaf((&a[i / 4].x)[i % 4], (&b[j / 4].x)[j % 4], sum[i][j]);
        }
    }

    template <typename Destination>
    __device__ void write(const Destination& destination, int first_row, int first_column) const {
        #pragma unroll
        for (int j = 0; j < 4 * Across; j++) {
            float* const to = destination.column(first_column + column(j));
            #pragma unroll
            for (int i = 0; i < 4 * Down; i++) destination.store(to, first_row + row(i), sum[i][j]);
        }
    }
};

// Products on tensor cores from factors rounded to TF32; sums stay float. The columns of C are the rows of mma's
// result, because there eight lanes hold eight neighbours of one column, which they store together.
template <typename T>
struct Tf32Product {
    using Shape = T;
    static constexpr int Down = T::WarpRows / 8, Across = T::WarpColumns / 16;

    float sum[Down][Across][4];

    __device__ static int slot(int column) { return column; }
    __device__ static int column_in(int slot) { return slot; }

    __device__ static int row(int i, int part) { return T::warp_row() + 8 * i + threadIdx.x % 4 * 2 + (part & 1); }
    __device__ static int column(int j, int part) {
        return T::warp_column() + 16 * j + threadIdx.x % 32 / 4 + 8 * (part >> 1);
    }

    __device__ void start(const float* bias, int first_row, int rows) {
        #pragma unroll
        for (int i = 0; i < Down; i++)
            #pragma unroll
            for (int part = 0; part < 2; part++) {
                const float value = bias && first_row + row(i, part) < rows ? bias[first_row + row(i, part)] : 0.0f;
                #pragma unroll
                for (int j = 0; j < Across; j++) sum[i][j][part] = sum[i][j][part + 2] = value;
            }
    }

    __device__ void multiply(const typename T::Stage& stage) {
        const int k = threadIdx.x % 4, g = threadIdx.x % 32 / 4;
        unsigned a[Across][4];
        #pragma unroll
        for (int j = 0; j < Across; j++)
            #pragma unroll
            for (int part = 0; part < 4; part++)
                a[j][part] = to_tf32(stage.b[k + 4 * (part >> 1)][T::warp_column() + 16 * j + g + 8 * (part & 1)]);
        #pragma unroll
        for (int i = 0; i < Down; i++) {
            const unsigned b0 = to_tf32(stage.a[k][T::warp_row() + 8 * i + g]);
            const unsigned b1 = to_tf32(stage.a[k + 4][T::warp_row() + 8 * i + g]);
            #pragma unroll
            for (int j = 0; j < Across; j++) multiply_tf32(sum[i][j], a[j], b0, b1);
        }
    }

    template <typename Destination>
    __device__ void write(const Destination& destination, int first_row, int first_column) const {
        #pragma unroll
        for (int j = 0; j < Across; j++)
            #pragma unroll
            for (int half = 0; half < 4; half += 2) {
                float* const to = destination.column(first_column + column(j, half));
                #pragma unroll
                for (int i = 0; i < Down; i++)
                    #pragma unroll
                    for (int part = 0; part < 2; part++)
                        destination.store(to, first_row + row(i, part), sum[i][j][half + part]);
            }
    }
};

// sum += A B over `stages` stages: load(stage) fills the next one, with zeros behind the end of k.
template <typename Product, typename Load>
__device__ __forceinline__ void accumulate(Product& product, int stages, Load load) {
    using Stage = typename Product::Shape::Stage;
    __shared__ Stage buffer[Stages];
    pipeline(buffer, stages, load, [&](const Stage& stage) { product.multiply(stage); });
}

// The part of k = 0 .. depth - 1 that belongs to this block of grid y: whole stages.
__device__ __forceinline__ int split_begin(int depth, int split, int splits) {
    const int stages = (depth + Depth - 1) / Depth;
    return min(depth, (int)((long long)stages * split / splits) * Depth);
}
