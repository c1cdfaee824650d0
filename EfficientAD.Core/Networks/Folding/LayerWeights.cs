using System.Numerics;
using System.Runtime.CompilerServices;
using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Imaging;
using EfficientAD.Tensors;

namespace EfficientAD.Networks.Folding;

/// <summary>Weights [outputs, inputs, k, k] and bias of a convolution on the host, to be folded with what comes before
/// and after it. Folding rounds once, as if it had computed in double.</summary>
internal sealed unsafe class LayerWeights
{
    private readonly Tensor? _resident;  // weights that lie in the host's memory already

    internal LayerWeights(Shape shape, float[] weights, float[] bias) =>
        (Shape, Weights, Bias) = (shape, weights, bias);

    private LayerWeights(Tensor resident, float[] bias) => (Shape, _resident, Bias) = (resident.Shape, resident, bias);

    public Shape Shape { get; }

    /// <summary>A copy, made when it is asked for, where <see cref="Values"/> are a layer's own.</summary>
    public float[] Weights
    {
        get => field ??= Values.ToArray();
        private init;
    }

    /// <summary>The weights where they lie.</summary>
    public ReadOnlySpan<float> Values =>
        _resident is null
            ? Weights
            : new ReadOnlySpan<float>((void*)_resident.Address, checked((int)_resident.Shape.Count));

    public float[] Bias { get; }

    /// <summary>A layer's parameters: those of a CPU backend stay where they are and must outlive this object, others
    /// are copied. Waits for the backend's work on them.</summary>
    public static LayerWeights Of(IBackend backend, ConvolutionLayer layer)
    {
        (Tensor weights, float[] bias) = (layer.Weights.Value, backend.Download(layer.Bias.Value));
        return backend is CpuBackend ? new(weights, bias) : new(weights.Shape, backend.Download(weights), bias);
    }

    public LayerWeights Rows(int first, int count)
    {
        int each = (int)Shape.SampleCount;
        float[] bias = Bias[first..(first + count)];
        return _resident is null
            ? new(Shape with { N = count }, Weights[(first * each)..((first + count) * each)], bias)
            : new(_resident.Samples(first, count), bias);
    }

    /// <summary>The layer that reads the red plane alone of a grey image normalised by ImageNet's means and deviations:
    /// its other planes follow from that one.</summary>
    public LayerWeights ForGrey()
    {
        (int colours, int taps) = (Shape.C, Shape.Plane);
        float[] mean = Preprocessing.Mean, deviation = Preprocessing.Deviation;
        ReadOnlySpan<float> values = Values;
        var weights = new float[Shape.N * taps];
        var bias = new float[Shape.N];
        for (int row = 0; row < Shape.N; row++)
        {
            double shift = 0;
            for (int tap = 0; tap < taps; tap++)
            {
                double sum = 0;
                for (int colour = 0; colour < colours; colour++)
                {
                    double weight = values[(row * colours + colour) * taps + tap];
                    sum += weight * deviation[0] / deviation[colour];
                    shift += weight * ((double)mean[0] - mean[colour]) / deviation[colour];
                }

                weights[row * taps + tap] = (float)sum;
            }

            bias[row] = (float)(Bias[row] + shift);
        }

        return new(Shape with { C = 1 }, weights, bias);
    }

    /// <summary>The layer whose outputs are this one's, each in units of its own.</summary>
    public LayerWeights Over(float[] units)
    {
        int each = (int)Shape.SampleCount;
        return new(
            Shape, [.. Weights.Select((weight, i) => weight / units[i / each])],
            [.. Bias.Select((bias, row) => bias / units[row])]);
    }

    /// <summary>The layer whose outputs are this one's, then another's, of the same input.</summary>
    public LayerWeights Above(LayerWeights other) =>
        new(Shape with { N = Shape.N + other.Shape.N }, [.. Weights, .. other.Weights], [.. Bias, .. other.Bias]);

    /// <summary>The layer that takes pixels' bytes over 256 in place of what ImageNet's mean and standard deviation
    /// make of them, and a fourth channel that is 1 inside the image.</summary>
    /// <param name="bordered">Whether zeros surround the normalised image: the fourth channel then carries the mean,
    /// and zeros surround the bytes just so. Else the bias carries it, exact in float, and the fourth channel's weights
    /// are zero.</param>
    /// <remarks>Bytes over 256 are exact in half precision; their normalised forms are not.</remarks>
    public LayerWeights ForBytes(bool bordered)
    {
        const int Colours = 3, Channels = 4;
        int taps = Shape.Plane;
        var weights = new float[Shape.N * Channels * taps];
        var bias = new float[Shape.N];
        for (int row = 0; row < Shape.N; row++)
        {
            double shifts = 0;
            for (int tap = 0; tap < taps; tap++)
            {
                double shift = 0;
                for (int colour = 0; colour < Colours; colour++)
                {
                    double weight =
                        Weights[(row * Colours + colour) * taps + tap] / (double)Preprocessing.Deviation[colour];
                    weights[(row * Channels + colour) * taps + tap] = (float)(weight * (256 / 255.0));
                    shift -= weight * Preprocessing.Mean[colour];
                }

                if (bordered) weights[(row * Channels + Colours) * taps + tap] = (float)shift;
                else shifts += shift;
            }

            bias[row] = (float)(Bias[row] + shifts);
        }

        return new(Shape with { C = Channels }, weights, bias);
    }

    /// <summary>The 1 x 1 layer over what the kernel covers, (ky, kx, input) one behind the other as
    /// channels.</summary>
    public LayerWeights OverColumns()
    {
        (int inputs, int taps) = (Shape.C, Shape.Plane);
        var weights = new float[Weights.Length];
        for (int i = 0; i < weights.Length; i++)
        {
            (int row, int k) = Math.DivRem(i, inputs * taps);
            weights[i] = Weights[(row * inputs + k % inputs) * taps + k / inputs];
        }

        return new(new Shape(Shape.N, inputs * taps, 1, 1), weights, Bias);
    }

    /// <summary>(output - mean) / deviation per channel, folded in.</summary>
    public LayerWeights Normalized(ReadOnlySpan<float> mean, ReadOnlySpan<float> deviation)
    {
        var weights = GC.AllocateUninitializedArray<float>(Values.Length);
        var bias = new float[Bias.Length];
        int each = (int)Shape.SampleCount;
        for (int row = 0; row < Shape.N; row++)
        {
            Divide(Values.Slice(row * each, each), deviation[row], weights.AsSpan(row * each, each));
            bias[row] = (float)(((double)Bias[row] - mean[row]) / deviation[row]);
        }

        return new(Shape, weights, bias);
    }

    /// <summary>The layer that computes this one's output less another's, from the inputs of both one behind the
    /// other.</summary>
    public LayerWeights Minus(LayerWeights other)
    {
        int mine = (int)Shape.SampleCount, its = (int)other.Shape.SampleCount, each = mine + its;
        var weights = GC.AllocateUninitializedArray<float>(Shape.N * each);
        var bias = new float[Bias.Length];
        for (int row = 0; row < Shape.N; row++)
        {
            Values.Slice(row * mine, mine).CopyTo(weights.AsSpan(row * each));
            Divide(other.Values.Slice(row * its, its), -1, weights.AsSpan(row * each + mine, its));
            bias[row] = Bias[row] - other.Bias[row];
        }

        return new(Shape with { C = Shape.C + other.Shape.C }, weights, bias);
    }
    /// <remarks>Optimised at its first call: in a program that has just started, millions of weights would else pass
    /// through code that is not.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Divide(ReadOnlySpan<float> values, float divisor, Span<float> quotients)
    {
        int i = 0;
        var divisors = new Vector<float>(divisor);
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
            (new Vector<float>(values[i..]) / divisors).CopyTo(quotients[i..]);
        for (; i < values.Length; i++) quotients[i] = values[i] / divisor;
    }
}
