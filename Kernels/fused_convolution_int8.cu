// The hidden layers of teacher and student in integers of 8 bits: fused_hidden.cuh.

#if __CUDA_ARCH__ >= 800

#include "fused_hidden.cuh"

FUSED_HIDDEN(fused_convolution_int8_relu_large, forward, Integers, Integers, Large)
FUSED_HIDDEN(fused_convolution_int8_relu_medium, forward, Integers, Integers, Medium)
FUSED_HIDDEN(fused_convolution_int8_relu_small, forward, Integers, Integers, Small)

FUSED_HIDDEN(fused_convolution_int8_pool_large, forward_pooled, Integers, Integers, Large)
FUSED_HIDDEN(fused_convolution_int8_pool_medium, forward_pooled, Integers, Integers, Medium)
FUSED_HIDDEN(fused_convolution_int8_pool_small, forward_pooled, Integers, Integers, Small)

#endif
