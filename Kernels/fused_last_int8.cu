// The last layers from a hidden map of integers of 8 bits: fused_last.cuh.

#if __CUDA_ARCH__ >= 800

#include "fused_last.cuh"

FUSED_LAST_OF_BYTES(fused_last_int8_large, Integers, Large)
FUSED_LAST_OF_BYTES(fused_last_int8_medium, Integers, Medium)
FUSED_LAST_OF_BYTES(fused_last_int8_small, Integers, Small)

#endif
