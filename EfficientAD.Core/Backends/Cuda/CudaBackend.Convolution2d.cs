using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;

namespace EfficientAD.Backends.Cuda;

public sealed partial class CudaBackend
{
    private readonly CudaConvolution _convolution;
    private readonly SparseConvolution _sparse;
    private readonly TunedConvolution? _tuned;  // null unless asked for, and cuDNN installed

    public void Convolution2d(
        Tensor input, Tensor weights, Tensor? bias, Convolution2dGeometry geometry, bool relu, Tensor output)
    {
        RequireConvolution(input.Shape, weights.Shape, geometry, output.Shape);
        if (bias is not null) RequireShape(Shape.Vector(weights.Shape.N), bias);
        Run(new ConvolutionCall(ConvolutionDirection.Forward, geometry, input, weights, bias, output, relu));
    }

    public void Convolution2dInputGradient(
        Tensor outputGradient, Tensor weights, Convolution2dGeometry geometry, Tensor inputGradient)
    {
        RequireConvolution(inputGradient.Shape, weights.Shape, geometry, outputGradient.Shape);
        Run(new ConvolutionCall(
            ConvolutionDirection.InputGradient, geometry, inputGradient, weights, null, outputGradient));
    }

    public void Convolution2dWeightGradient(
        Tensor input, Tensor outputGradient, Convolution2dGeometry geometry, Tensor weightGradient,
        Tensor? biasGradient)
    {
        RequireConvolution(input.Shape, weightGradient.Shape, geometry, outputGradient.Shape);
        if (biasGradient is not null) RequireShape(Shape.Vector(weightGradient.Shape.N), biasGradient);
        Run(new ConvolutionCall(
            ConvolutionDirection.WeightGradient, geometry, input, weightGradient, biasGradient, outputGradient));
    }

    private void Run(in ConvolutionCall call)
    {
        if (_sparse.Suits(call))
        {
            _sparse.Run(call);
            if (call.Direction == ConvolutionDirection.WeightGradient) _convolution.BiasGradient(call);
        }
        else if (_tuned is null)
        {
            _convolution.Run(call);
        }
        else
        {
            _tuned.Run(call);
        }
    }
}
