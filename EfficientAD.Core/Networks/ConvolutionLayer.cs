using EfficientAD.Autograd;
using EfficientAD.Autograd.Operations;
using EfficientAD.Backends;
using EfficientAD.Tensors;

namespace EfficientAD.Networks;

/// <summary>A convolution with its weights [co, ci, k, k] and bias [1, co, 1, 1].</summary>
public sealed class ConvolutionLayer : IDisposable
{
    public ConvolutionLayer(
        IBackend backend, string name, int inputs, int outputs, int kernel, bool trainable, bool relu, int stride = 1,
        int padding = 0)
    {
        Name = name;
        Weights = new Parameter(backend, $"{name}.weight", new Shape(outputs, inputs, kernel, kernel), trainable);
        Bias = new Parameter(backend, $"{name}.bias", Shape.Vector(outputs), trainable);
        Geometry = new Convolution2dGeometry(stride, padding);
        Relu = relu;
    }

    public string Name { get; }

    public Parameter Weights { get; }

    public Parameter Bias { get; }

    public Convolution2dGeometry Geometry { get; }

    public bool Relu { get; }

    public Variable Forward(Tape tape, Variable input) => Forward(tape, input, Geometry.Padding);

    /// <summary>The same with another padding: the padded and unpadded PDN share their weights.</summary>
    public Variable Forward(Tape tape, Variable input, int padding) =>
        tape.Convolution2d(input, Weights, Bias, Geometry with { Padding = padding }, Relu);

    /// <summary>Uniform in +-1 / sqrt(fan-in), weights and bias alike, as PyTorch's Conv2d starts.</summary>
    /// <param name="random">Its stream serves the weights, the next one the bias.</param>
    public void Initialize(IBackend backend, CounterRandom random)
    {
        float bound = 1 / MathF.Sqrt(Weights.Value.Shape.SampleCount);
        Draw(backend, random, bound, Weights);
        Draw(backend, random with { Stream = random.Stream + 1 }, bound, Bias);
    }

    /// <summary>Uniform weights that keep the variance of rectified values (He et al., ICCV 2015), and no
    /// bias.</summary>
    public void InitializeKeepingVariance(IBackend backend, CounterRandom random)
    {
        Draw(backend, random, MathF.Sqrt(6f / Weights.Value.Shape.SampleCount), Weights);
        backend.Fill(0, Bias.Value);
    }

    public void Dispose()
    {
        Weights.Dispose();
        Bias.Dispose();
    }

    private static void Draw(IBackend backend, CounterRandom random, float bound, Parameter parameter)
    {
        var values = new float[parameter.Value.Shape.Count];
        for (int i = 0; i < values.Length; i++) values[i] = random.Uniform((ulong)i, -bound, bound);
        backend.Upload(values, parameter.Value);
    }
}
