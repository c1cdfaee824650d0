using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu.Fused;

/// <summary>Weights [outputs, inputs, k, k] and bias of a convolution on the host, to be folded before they are
/// transformed.</summary>
internal sealed unsafe class LayerWeights
{
    private LayerWeights(Shape shape, float[] weights, float[] bias) => (Shape, Weights, Bias) = (shape, weights, bias);

    public Shape Shape { get; }

    public float[] Weights { get; }

    public float[] Bias { get; }

    public static LayerWeights Of(ConvolutionLayer layer) => new(
        layer.Weights.Value.Shape, Floats(layer.Weights.Value), Floats(layer.Bias.Value));

    public LayerWeights Rows(int first, int count)
    {
        int each = (int)Shape.SampleCount;
        return new(Shape with { N = count }, Weights[(first * each)..((first + count) * each)], Bias[first..(first + count)]);
    }

    /// <summary>(output - mean) / deviation per channel, folded in.</summary>
    public LayerWeights Normalized(ReadOnlySpan<float> mean, ReadOnlySpan<float> deviation)
    {
        var weights = new float[Weights.Length];
        var bias = new float[Bias.Length];
        int each = (int)Shape.SampleCount;
        for (int row = 0; row < Shape.N; row++)
        {
            for (int i = row * each; i < (row + 1) * each; i++) weights[i] = (float)((double)Weights[i] / deviation[row]);
            bias[row] = (float)(((double)Bias[row] - mean[row]) / deviation[row]);
        }

        return new(Shape, weights, bias);
    }

    /// <summary>The layer that computes this one's output less another's, from the inputs of both one behind the other.</summary>
    public LayerWeights Minus(LayerWeights other)
    {
        int mine = (int)Shape.SampleCount, its = (int)other.Shape.SampleCount, each = mine + its;
        var weights = new float[Shape.N * each];
        var bias = new float[Bias.Length];
        for (int row = 0; row < Shape.N; row++)
        {
            Weights.AsSpan(row * mine, mine).CopyTo(weights.AsSpan(row * each));
            for (int i = 0; i < its; i++) weights[row * each + mine + i] = -other.Weights[row * its + i];
            bias[row] = Bias[row] - other.Bias[row];
        }

        return new(Shape with { C = Shape.C + other.Shape.C }, weights, bias);
    }

    /// <summary>The weights in a form's domain.</summary>
    public AlignedMemory Transform<TForm, TKernels>(WorkerPool pool)
        where TForm : struct, IFilterForm
        where TKernels : struct, IProductKernels
    {
        var memory = new AlignedMemory(TransformedWeights<TForm, TKernels>.Count(Shape.N, Shape.C) * sizeof(float));
        fixed (float* weights = Weights)
        {
            TransformedWeights<TForm, TKernels>.Transform(
                weights, WeightStrides.Forward(Shape), Shape.N, Shape.C, pool, (float*)memory.Address);
        }

        return memory;
    }

    /// <summary>The bias, with zeros to a whole panel.</summary>
    public AlignedMemory PaddedBias(int lanes)
    {
        int panel = 2 * lanes;
        var memory = new AlignedMemory((Bias.Length + panel - 1) / panel * panel * sizeof(float));
        Bias.CopyTo(new Span<float>((void*)memory.Address, Bias.Length));
        return memory;
    }

    private static float[] Floats(Tensor tensor) => new ReadOnlySpan<float>((void*)tensor.Address, (int)tensor.Shape.Count).ToArray();
}
