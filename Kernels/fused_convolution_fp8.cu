// The hidden layers of teacher and student in e4m3: fused_hidden.cuh.

#if __CUDA_ARCH__ >= 890

#include "fused_hidden.cuh"

FUSED_HIDDEN(fused_convolution_fp8_relu_large, forward, Floats, Floats, Large)
FUSED_HIDDEN(fused_convolution_fp8_relu_medium, forward, Floats, Floats, Medium)
FUSED_HIDDEN(fused_convolution_fp8_relu_small, forward, Floats, Floats, Small)

FUSED_HIDDEN(fused_convolution_fp8_pool_large, forward_pooled, Floats, Floats, Large)
FUSED_HIDDEN(fused_convolution_fp8_pool_medium, forward_pooled, Floats, Floats, Medium)
FUSED_HIDDEN(fused_convolution_fp8_pool_small, forward_pooled, Floats, Floats, Small)

#endif
