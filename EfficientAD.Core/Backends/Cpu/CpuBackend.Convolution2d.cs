using EfficientAD.Backends.Cpu.Stacked;
using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace EfficientAD.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    private readonly ConvolutionEngine _convolution;

    public void Convolution2d(
        Tensor input, Tensor weights, Tensor? bias, Convolution2dGeometry geometry, bool relu, Tensor output)
    {
        RequireConvolution(input.Shape, weights.Shape, geometry, output.Shape);
        if (bias is not null) RequireShape(Shape.Vector(weights.Shape.N), bias, nameof(bias));
        _convolution.Forward(input, weights, bias, geometry, relu, output);
    }

    public void Convolution2dInputGradient(
        Tensor outputGradient, Tensor weights, Convolution2dGeometry geometry, Tensor inputGradient)
    {
        RequireConvolution(inputGradient.Shape, weights.Shape, geometry, outputGradient.Shape);
        if (SparseGradient.TryFind(outputGradient) is { } sparse)
            sparse.AccumulateInputGradient(weights, geometry, inputGradient, _pool);
        else
            _convolution.InputGradient(outputGradient, weights, geometry, inputGradient);
    }

    public void Convolution2dWeightGradient(
        Tensor input, Tensor outputGradient, Convolution2dGeometry geometry, Tensor weightGradient,
        Tensor? biasGradient)
    {
        RequireConvolution(input.Shape, weightGradient.Shape, geometry, outputGradient.Shape);
        if (SparseGradient.TryFind(outputGradient) is { } sparse)
            sparse.AccumulateWeightGradient(input, geometry, weightGradient, _pool);
        else
            _convolution.WeightGradient(input, outputGradient, geometry, weightGradient);

        if (biasGradient is null) return;
        RequireShape(Shape.Vector(weightGradient.Shape.N), biasGradient, nameof(biasGradient));
        AccumulateBiasGradient(outputGradient, biasGradient);
    }

    public LayerStack? Stack(Tensor input, IReadOnlyList<StackedLayer> layers, IReadOnlyList<StackHead> heads) =>
        _isPlain ? null : CpuLayerStack.TryCreate(this, input, layers, heads);

    private void AccumulateBiasGradient(Tensor outputGradient, Tensor biasGradient)
    {
        Shape shape = outputGradient.Shape;
        _pool.Run(shape.C, channel =>
        {
            double sum = 0;
            for (int n = 0; n < shape.N; n++)
            {
                float* plane = Pointer(outputGradient) + ((long)n * shape.C + channel) * shape.Plane;
                // Row by row: float sums stay short, their sum is double.
                for (int y = 0; y < shape.H; y++)
                    sum += TensorPrimitives.Sum(new ReadOnlySpan<float>(plane + (long)y * shape.W, shape.W));
            }

            Pointer(biasGradient)[channel] += (float)sum;
        });
    }
}
