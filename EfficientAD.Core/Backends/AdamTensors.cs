using EfficientAD.Tensors;

namespace EfficientAD.Backends;

/// <summary>A parameter and what Adam keeps of it, all of one shape.</summary>
public readonly record struct AdamTensors(Tensor Gradient, Tensor FirstMoment, Tensor SecondMoment, Tensor Parameter);
