using EfficientAD.Networks.Folding;
using EfficientAD.Tensors;

namespace EfficientAD.Networks.Quantization;

/// <summary>A layer whose inputs and weights are numbers of 8 bits, each times a step: one for every input channel and
/// one for every output. Steps of inputs are multiplied into the weights before these are rounded, so that an output is
/// <c>factor * sum(weight * input) + bias</c>, whatever the steps are.</summary>
internal sealed class QuantizedLayer
{
    private readonly float[] _weights, _inputSteps, _factors;

    private QuantizedLayer(
        Shape shape, EightBits format, float[] weights, float[] inputSteps, float[] factors, float[] bias) =>
        (Shape, Format, _weights, _inputSteps, _factors, Bias) = (shape, format, weights, inputSteps, factors, bias);

    /// <param name="inputs">What each input channel holds over good images, and what 1 of its numbers is worth.</param>
    public static QuantizedLayer Of(
        LayerWeights layer, EightBits format, IReadOnlyList<(float Mean, float Step)> inputs)
    {
        (int each, int taps) = ((int)layer.Shape.SampleCount, layer.Shape.Plane);
        var weights = new float[layer.Values.Length];
        var factors = new float[layer.Shape.N];
        float[] bias = [.. layer.Bias];
        for (int row = 0; row < factors.Length; row++)
        {
            ReadOnlySpan<float> exact = layer.Values.Slice(row * each, each);
            Span<float> rounded = weights.AsSpan(row * each, each);
            float largest = 0;
            for (int i = 0; i < each; i++)
            {
                rounded[i] = exact[i] * inputs[i / taps].Step;
                largest = MathF.Max(largest, MathF.Abs(rounded[i]));
            }

            factors[row] = largest > 0 ? largest / format.LargestWeight : 1;
            // Rounding shifts the output by the weights' errors times their inputs. The bias takes back what that is
            // for mean inputs, which are far from zero behind a ReLU.
            double shift = 0;
            for (int i = 0; i < each; i++)
            {
                (float mean, float step) = inputs[i / taps];
                rounded[i] = format.RoundWeight(rounded[i] / factors[row]);
                shift += ((double)rounded[i] * factors[row] / step - exact[i]) * mean;
            }

            bias[row] = (float)(bias[row] - shift);
        }

        return new QuantizedLayer(layer.Shape, format, weights, [.. inputs.Select(input => input.Step)], factors, bias);
    }

    public Shape Shape { get; }

    public EightBits Format { get; }

    /// <summary>Numbers of 8 bits, [outputs, inputs, k, k].</summary>
    public ReadOnlySpan<float> Weights => _weights;

    /// <summary>By output, in full.</summary>
    public float[] Bias { get; }

    /// <summary>Factor and bias of every output, one behind the other.</summary>
    /// <param name="outputSteps">What 1 of each output is worth; null for outputs in full.</param>
    public float[] Scales(float[]? outputSteps = null) => [.. _factors.SelectMany((factor, row) =>
    {
        float step = outputSteps?[row] ?? 1;
        return new[] { factor / step, Bias[row] / step };
    })];

    /// <summary>What the layer amounts to for inputs in full.</summary>
    public LayerWeights Unscaled()
    {
        (int each, int taps) = ((int)Shape.SampleCount, Shape.Plane);
        var weights = new float[_weights.Length];
        for (int i = 0; i < weights.Length; i++)
            weights[i] = _weights[i] * _factors[i / each] / _inputSteps[i % each / taps];
        return new LayerWeights(Shape, weights, Bias);
    }
}
