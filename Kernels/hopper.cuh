// What kernels for Hopper (sm_90a) need: mbarriers, boxes of tensors brought by the copy engine (TMA), and products of
// four warps (wgmma). As in the PTX ISA manual, chapters "Parallel synchronization and communication", "Data movement"
// and "Asynchronous warpgroup level matrix instructions".
#pragma once

#include "tensor_core.cuh"

// 128 bytes that cuTensorMapEncodeTiled has written; a parameter that is const and __grid_constant__.
struct __align__(64) TensorMap { unsigned char bytes[128]; };

// ---- mbarriers, named by their address in shared memory

__device__ __forceinline__ void make_barrier(unsigned barrier, int arrivals) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals) : "memory");
}

// Shows the barriers that this thread has made to the copy engine; to other threads a barrier of the block must.
__device__ __forceinline__ void publish_barriers() {
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}

__device__ __forceinline__ void arrive(unsigned barrier) {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}

// Arrives, and announces bytes that must come before the phase ends.
__device__ __forceinline__ void arrive_and_expect(unsigned barrier, unsigned bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes) : "memory");
}

// Waits for the end of the phase of this parity; the phase before a barrier's first counts as ended.
__device__ __forceinline__ void wait_for(unsigned barrier, unsigned parity) {
    unsigned ended;
    do {
        asm volatile("{ .reg .pred ended; mbarrier.try_wait.parity.shared::cta.b64 ended, [%1], %2;\n"
                     "selp.u32 %0, 1, 0, ended; }" : "=r"(ended) : "r"(barrier), "r"(parity) : "memory");
    } while (!ended);
}

// ---- boxes of tensors

// Brings the box whose first element has these coordinates, the innermost first; what lies outside comes as zeros.
__device__ __forceinline__ void load_box(
    unsigned destination, const TensorMap* map, int x0, int x1, int x2, int x3, unsigned barrier) {
    asm volatile("cp.async.bulk.tensor.4d.shared::cluster.global.mbarrier::complete_tx::bytes "
                 "[%0], [%1, {%2, %3, %4, %5}], [%6];"
                 ::"r"(destination), "l"(map), "r"(x0), "r"(x1), "r"(x2), "r"(x3), "r"(barrier) : "memory");
}

__device__ __forceinline__ void load_box(
    unsigned destination, const TensorMap* map, int x0, int x1, unsigned barrier) {
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes "
                 "[%0], [%1, {%2, %3}], [%4];"
                 ::"r"(destination), "l"(map), "r"(x0), "r"(x1), "r"(barrier) : "memory");
}

// ---- products

// Rows of 64 halves, k innermost, as a box with the 128-byte swizzle brings them; eight rows make 1024 bytes, and the
// address is a multiple of that, but for 32 bytes from one 16 of k to the next.
__device__ __forceinline__ unsigned long long describe_rows(unsigned address) {
    const unsigned long long swizzle_128 = 1ull << 62, groups = 1024 / 16;
    return swizzle_128 | groups << 32 | 1ull << 16 | address >> 4;
}

// Orders what this warp did with its registers before the products that follow.
__device__ __forceinline__ void begin_products() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }

__device__ __forceinline__ void commit_products() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }

// Waits until at most `Pending` of the committed groups of products are under way.
template <int Pending>
__device__ __forceinline__ void wait_for_products() {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(Pending) : "memory");
}

// sum[64, 128] += a[64, 16] b[128, 16]^T by four warps, done when waited for. Warp w, g = lane / 4, t = lane % 4:
// sum[4 j], sum[4 j + 1]: row 16 w + g, columns 8 j + 2 t and the next; then the same columns of row 16 w + g + 8.
__device__ __forceinline__ void multiply_64x128(float (&sum)[64], unsigned long long a, unsigned long long b) {
    asm volatile(
        "{ .reg .pred add; setp.ne.b32 add, %66, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.f16.f16 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
        "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
        "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}, "
        "%64, %65, add, 1, 1, 0, 0; }"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3]),
          "+f"(sum[4]), "+f"(sum[5]), "+f"(sum[6]), "+f"(sum[7]),
          "+f"(sum[8]), "+f"(sum[9]), "+f"(sum[10]), "+f"(sum[11]),
          "+f"(sum[12]), "+f"(sum[13]), "+f"(sum[14]), "+f"(sum[15]),
          "+f"(sum[16]), "+f"(sum[17]), "+f"(sum[18]), "+f"(sum[19]),
          "+f"(sum[20]), "+f"(sum[21]), "+f"(sum[22]), "+f"(sum[23]),
          "+f"(sum[24]), "+f"(sum[25]), "+f"(sum[26]), "+f"(sum[27]),
          "+f"(sum[28]), "+f"(sum[29]), "+f"(sum[30]), "+f"(sum[31]),
          "+f"(sum[32]), "+f"(sum[33]), "+f"(sum[34]), "+f"(sum[35]),
          "+f"(sum[36]), "+f"(sum[37]), "+f"(sum[38]), "+f"(sum[39]),
          "+f"(sum[40]), "+f"(sum[41]), "+f"(sum[42]), "+f"(sum[43]),
          "+f"(sum[44]), "+f"(sum[45]), "+f"(sum[46]), "+f"(sum[47]),
          "+f"(sum[48]), "+f"(sum[49]), "+f"(sum[50]), "+f"(sum[51]),
          "+f"(sum[52]), "+f"(sum[53]), "+f"(sum[54]), "+f"(sum[55]),
          "+f"(sum[56]), "+f"(sum[57]), "+f"(sum[58]), "+f"(sum[59]),
          "+f"(sum[60]), "+f"(sum[61]), "+f"(sum[62]), "+f"(sum[63])
        : "l"(a), "l"(b), "r"(1));
}

// Keeps the compiler from reading sums earlier than here.
__device__ __forceinline__ void pin(float (&sum)[64]) {
#pragma unroll
    for (int i = 0; i < 64; ++i) asm volatile("" : "+f"(sum[i])::"memory");
}
