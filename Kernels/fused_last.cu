// The last layers from half precision: fused_last.cuh.

#if __CUDA_ARCH__ >= 800

#include "fused_last.cuh"

FUSED_LAST(fused_last_large, Large)
FUSED_LAST(fused_last_medium, Medium)
FUSED_LAST(fused_last_small, Small)

#endif
