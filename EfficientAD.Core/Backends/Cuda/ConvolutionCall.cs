using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cuda;

/// <summary>What a convolution computes: its output, or the gradient of what went in.</summary>
internal enum ConvolutionDirection
{
    Forward,
    InputGradient,
    WeightGradient,
}

/// <summary>What a plan depends on.</summary>
internal readonly record struct ConvolutionShape(Shape Input, Shape Weights, Convolution2dGeometry Geometry)
{
    public Shape Output => new(
        Input.N, Weights.N, Geometry.OutputSize(Input.H, Weights.H), Geometry.OutputSize(Input.W, Weights.W));
}

/// <summary>One direction of one convolution, its shapes already checked. The tensor that the direction names is
/// written and the other two are read: <paramref name="Output"/> is overwritten; as gradients,
/// <paramref name="Input"/>, or <paramref name="Weights"/> and <paramref name="Bias"/>, are accumulated into, and
/// <paramref name="Output"/> is the gradient of the output.</summary>
/// <param name="Bias">Or null.</param>
/// <param name="Relu">Of the forward direction.</param>
internal readonly record struct ConvolutionCall(
    ConvolutionDirection Direction, Convolution2dGeometry Geometry, Tensor Input, Tensor Weights, Tensor? Bias,
    Tensor Output, bool Relu = false)
{
    public ConvolutionShape Shape => new(Input.Shape, Weights.Shape, Geometry);
}
