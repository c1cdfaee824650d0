// The first layer of teacher and student, from half precision to e4m3: fused_first.cuh.

#if __CUDA_ARCH__ >= 890

#include "fused_first.cuh"

FUSED_FIRST(fused_first_fp8, Floats)

#endif
