using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu.Filtering;

/// <summary>Minimal filtering where it saves work, 3 x 3 and 4 x 4 kernels over many channels with stride 1; the direct
/// way elsewhere. The choice depends on shapes alone.</summary>
internal sealed class FilteringEngine<TForm4x4, TForm3x3, TKernels>(
    ConvolutionEngine direct, WorkerPool pool) : ConvolutionEngine
    where TForm4x4 : struct, IFilterForm
    where TForm3x3 : struct, IFilterForm
    where TKernels : struct, IProductKernels
{
    // Transforms cost time in proportion to the channels of one side, products to both sides'.
    private const int FewestChannels = 16;
    private const double LargestShare = 0.6;

    private readonly FilteredConvolution<TForm4x4, TKernels> _kernels4x4 = new(pool);
    private readonly FilteredConvolution<TForm3x3, TKernels> _kernels3x3 = new(pool);

    private enum Way
    {
        Direct,
        Kernels4x4,
        Kernels3x3,
    }

    public override void Forward(
        Tensor input, Tensor weights, Tensor? bias, Convolution2dGeometry geometry, bool relu, Tensor output)
    {
        switch (Choose(weights.Shape, geometry, output.Shape))
        {
            case Way.Kernels4x4: _kernels4x4.Forward(input, weights, bias, geometry.Padding, relu, output); break;
            case Way.Kernels3x3: _kernels3x3.Forward(input, weights, bias, geometry.Padding, relu, output); break;
            default: direct.Forward(input, weights, bias, geometry, relu, output); break;
        }
    }

    public override void InputGradient(
        Tensor outputGradient, Tensor weights, Convolution2dGeometry geometry, Tensor inputGradient)
    {
        switch (Choose(weights.Shape, geometry, inputGradient.Shape))
        {
            case Way.Kernels4x4:
                _kernels4x4.InputGradient(outputGradient, weights, geometry.Padding, inputGradient);
                break;
            case Way.Kernels3x3:
                _kernels3x3.InputGradient(outputGradient, weights, geometry.Padding, inputGradient);
                break;
            default:
                direct.InputGradient(outputGradient, weights, geometry, inputGradient);
                break;
        }
    }

    public override void WeightGradient(
        Tensor input, Tensor outputGradient, Convolution2dGeometry geometry, Tensor weightGradient)
    {
        switch (Choose(weightGradient.Shape, geometry, outputGradient.Shape))
        {
            case Way.Kernels4x4:
                _kernels4x4.WeightGradient(input, outputGradient, geometry.Padding, weightGradient);
                break;
            case Way.Kernels3x3:
                _kernels3x3.WeightGradient(input, outputGradient, geometry.Padding, weightGradient);
                break;
            default:
                direct.WeightGradient(input, outputGradient, geometry, weightGradient);
                break;
        }
    }

    public override void Dispose()
    {
        _kernels4x4.Dispose();
        _kernels3x3.Dispose();
        direct.Dispose();
    }

    private static Way Choose(Shape weights, Convolution2dGeometry geometry, Shape output)
    {
        if (geometry.Stride != 1 || Math.Min(weights.N, weights.C) < FewestChannels) return Way.Direct;
        return (weights.H, weights.W) switch
        {
            (4, 4) when FilteredConvolution<TForm4x4, TKernels>.Share(output) < LargestShare => Way.Kernels4x4,
            (3, 3) when FilteredConvolution<TForm3x3, TKernels>.Share(output) < LargestShare => Way.Kernels3x3,
            _ => Way.Direct,
        };
    }
}
