// The last layers from a hidden map of e4m3: fused_last.cuh.

#if __CUDA_ARCH__ >= 890

#include "fused_last.cuh"

FUSED_LAST_OF_BYTES(fused_last_fp8_large, Floats, Large)
FUSED_LAST_OF_BYTES(fused_last_fp8_medium, Floats, Medium)
FUSED_LAST_OF_BYTES(fused_last_fp8_small, Floats, Small)

#endif
