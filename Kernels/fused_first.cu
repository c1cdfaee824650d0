// The first layer of teacher and student, from half precision to half precision: fused_first.cuh.

#if __CUDA_ARCH__ >= 800

#include "fused_first.cuh"

FUSED_FIRST(fused_first, Halves)

#endif
