// What asynchronous copies and tensor cores need, without a header of NVIDIA's: half-precision numbers as 16 bits,
// cp.async, ldmatrix and mma.sync. Fragment layouts as in the PTX ISA manual, chapter "Warp-level matrix instructions".
#pragma once

// ---- numbers

typedef unsigned short half_bits;  // IEEE 754 binary16

__device__ __forceinline__ half_bits to_half(float value) {
    half_bits bits;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
    return bits;
}

__device__ __forceinline__ float to_float(half_bits bits) {
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
    return value;
}

__device__ __forceinline__ unsigned pack_halves(float low, float high) {
    return to_half(low) | (unsigned)to_half(high) << 16;
}

#if __CUDA_ARCH__ >= 800
// ReLU in one instruction that keeps NaN.
__device__ __forceinline__ float rectify(float value) {
    float result;
    asm("max.NaN.f32 %0, %1, 0f00000000;" : "=f"(result) : "f"(value));
    return result;
}
#endif

#if __CUDA_ARCH__ >= 800
// The nearest integers from 0 to 255, four to a word.
__device__ __forceinline__ unsigned pack_integers(float a, float b, float c, float d) {
    unsigned bytes;
    asm("cvt.pack.sat.u8.s32.b32 %0, %1, %2, 0;" : "=r"(bytes) : "r"(__float2int_rn(d)), "r"(__float2int_rn(c)));
    asm("cvt.pack.sat.u8.s32.b32 %0, %1, %2, %3;"
        : "=r"(bytes) : "r"(__float2int_rn(b)), "r"(__float2int_rn(a)), "r"(bytes));
    return bytes;
}
#endif

#if __CUDA_ARCH__ >= 890
// The nearest e4m3 of two numbers, at most 448 of either sign.
__device__ __forceinline__ unsigned pack_floats(float low, float high) {
    unsigned short bytes;
    asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(bytes) : "f"(high), "f"(low));
    return bytes;
}
#endif

// The nearest of the numbers with 10 bits of fraction that tensor cores multiply.
__device__ __forceinline__ unsigned to_tf32(float value) {
#if __CUDA_ARCH__ >= 800
    unsigned bits;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(value));
    return bits;
#else
    return __float_as_uint(value);
#endif
}

// ---- copies from global to shared memory

__device__ __forceinline__ unsigned shared_address(const void* pointer) {
    return (unsigned)__cvta_generic_to_shared(pointer);
}

// Each copies if `valid` and else writes zeros, without reading. Before sm_80 they are done when they return.
__device__ __forceinline__ void copy_async_4(float* destination, const float* source, bool valid) {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;"
                 ::"r"(shared_address(destination)), "l"(source), "r"(valid ? 4 : 0) : "memory");
#else
    *destination = valid ? *source : 0.0f;
#endif
}

__device__ __forceinline__ void copy_async_16(void* destination, const void* source, bool valid) {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;"
                 ::"r"(shared_address(destination)), "l"(source), "r"(valid ? 16 : 0) : "memory");
#else
    *(uint4*)destination = valid ? *(const uint4*)source : make_uint4(0, 0, 0, 0);
#endif
}

#if __CUDA_ARCH__ >= 800
// The same, always valid, to a shared address.
__device__ __forceinline__ void copy_async_16(unsigned destination, const void* source) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(destination), "l"(source) : "memory");
}
#endif

__device__ __forceinline__ void commit_copies() {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

// Waits until at most `Pending` of the committed groups of this thread are under way; a barrier must follow before
// other threads read what they brought.
template <int Pending>
__device__ __forceinline__ void wait_for_copies() {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_group %0;" ::"n"(Pending) : "memory");
#endif
}

// ---- matrices

// Four 8 x 8 matrices of 16-bit values; lanes 8i .. 8i + 7 give the addresses of the rows of matrix i. Lane l receives
// from each the elements 2 (l % 4) and 2 (l % 4) + 1 of row l / 4.
__device__ __forceinline__ void load_matrices(unsigned (&matrices)[4], unsigned address) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(matrices[0]), "=r"(matrices[1]), "=r"(matrices[2]), "=r"(matrices[3])
                 : "r"(address) : "memory");
}

// sum[16, 8] += a[16, 16] b[16, 8], half in, float out. With g = lane / 4 and t = lane % 4:
// a: rows g and g + 8, columns 2t, 2t + 1; then the same rows, columns 2t + 8, 2t + 9
// b: rows 2t, 2t + 1; then 2t + 8, 2t + 9; column g            sum: row g, columns 2t, 2t + 1; then row g + 8
__device__ __forceinline__ void multiply_half(float (&sum)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
#if __CUDA_ARCH__ >= 800
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#else
    asm("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3]) : "r"(a[0]), "r"(a[1]), "r"(b0));
    asm("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3]) : "r"(a[2]), "r"(a[3]), "r"(b1));
#endif
}

// sum[16, 8] += a[16, 8] b[8, 8], TF32 in, float out; from sm_80 on. With g = lane / 4 and t = lane % 4:
// a: (row g, column t), (g + 8, t), (g, t + 4), (g + 8, t + 4)        b: (row t, column g), (t + 4, g)
// sum: row g, columns 2t, 2t + 1; then row g + 8
__device__ __forceinline__ void multiply_tf32(float (&sum)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
#if __CUDA_ARCH__ >= 800
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#endif
}

// sum[16, 8] += a[16, 32] b[32, 8] of bytes. With g = lane / 4 and t = lane % 4:
// a: rows g and g + 8, columns 4t to 4t + 3; then the same rows, columns 4t + 16 to 4t + 19
// b: rows 4t to 4t + 3; then 4t + 16 to 4t + 19; column g            sum: row g, columns 2t, 2t + 1; then row g + 8
#if __CUDA_ARCH__ >= 800
__device__ __forceinline__ void multiply_integers(int (&sum)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
    asm("mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+r"(sum[0]), "+r"(sum[1]), "+r"(sum[2]), "+r"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
#endif

#if __CUDA_ARCH__ >= 890
__device__ __forceinline__ void multiply_floats(float (&sum)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
    asm("mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
#endif
