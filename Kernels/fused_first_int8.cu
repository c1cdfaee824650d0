// The first layer of teacher and student, from half precision to integers of 8 bits: fused_first.cuh.

#if __CUDA_ARCH__ >= 800

#include "fused_first.cuh"

FUSED_FIRST(fused_first_int8, Integers)

#endif
