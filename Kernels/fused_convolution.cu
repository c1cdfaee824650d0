// The hidden layers of teacher and student in half precision: fused_hidden.cuh.

#if __CUDA_ARCH__ >= 800

#include "fused_hidden.cuh"

FUSED_HIDDEN(fused_convolution_relu_large, forward, Halves, Halves, Large)
FUSED_HIDDEN(fused_convolution_relu_medium, forward, Halves, Halves, Medium)
FUSED_HIDDEN(fused_convolution_relu_small, forward, Halves, Halves, Small)

FUSED_HIDDEN(fused_convolution_pool_large, forward_pooled, Halves, Halves, Large)
FUSED_HIDDEN(fused_convolution_pool_medium, forward_pooled, Halves, Halves, Medium)
FUSED_HIDDEN(fused_convolution_pool_small, forward_pooled, Halves, Halves, Small)

#endif
