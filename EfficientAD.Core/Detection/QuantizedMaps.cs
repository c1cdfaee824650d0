using EfficientAD.Autograd;
using EfficientAD.Autograd.Operations;
using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Networks;
using EfficientAD.Networks.Folding;
using EfficientAD.Networks.Quantization;
using EfficientAD.Tensors;

namespace EfficientAD.Detection;

/// <summary>Both raw maps as numbers of 8 bits give them, computed by the CPU in float32 with every such number rounded
/// as a device rounds it: what a device must give but for the sums' rounding, and what shows without a device what the
/// rounding does.</summary>
internal sealed class QuantizedMaps
{
    private readonly Tape _tape;
    private readonly IBackend _backend;
    private readonly QuantizedNetworks _quantized;
    private readonly List<RoundedMap> _teacher = [], _student = [];

    /// <param name="tape">Of a CPU backend; its operations compute the maps.</param>
    /// <param name="networks">Those that were quantised.</param>
    /// <param name="input">Of one image.</param>
    public QuantizedMaps(Tape tape, DetectionNetworks networks, QuantizedNetworks quantized, DetectionInput input)
    {
        if (tape.Backend is not CpuBackend)
        {
            throw new ArgumentException(
                $"Numbers of 8 bits are rounded on the CPU, not on {tape.Backend.Name}.", nameof(tape));
        }

        (_tape, _backend, _quantized) = (tape, tape.Backend, quantized);
        Variable teacher = Record(networks.Teacher, input, quantized.Teacher, quantized.TeacherSteps, _teacher);
        Variable student = Record(networks.Student, input, quantized.Student, quantized.StudentSteps, _student);
        Variable difference = Convolve(Join(teacher.Value, student.Value), quantized.Local.Unscaled(), relu: false);
        Variable imitation = Convolve(student, quantized.StudentHalf.Unscaled(), relu: false);
        Shape features = difference.Value.Shape;
        Variable predicted = networks.Autoencoder.Predict(
            tape, Variable.Constant(input.AutoencoderImage), padded: false, features.H, features.W);
        Local = tape.SquaredDifferenceMap(difference, Variable.Constant(tape.Allocate(features)));
        Global = tape.SquaredDifferenceMap(predicted, imitation);
    }

    /// <summary>Teacher against student, [1, 1, h, w].</summary>
    public Variable Local { get; }

    /// <summary>Autoencoder against student, likewise.</summary>
    public Variable Global { get; }

    /// <summary>The teacher's hidden maps, pooled where it pools.</summary>
    public IReadOnlyList<RoundedMap> Teacher => _teacher;

    /// <summary>The student's.</summary>
    public IReadOnlyList<RoundedMap> Student => _student;

    private Variable Record(
        PatchDescriptionNetwork network, DetectionInput input, Func<int, QuantizedLayer> layer,
        Func<int, float[]> steps, List<RoundedMap> maps)
    {
        Variable x = Variable.Constant(input.Image);
        for (int i = 0; i < network.Layers.Count - 1; i++)
        {
            x = i == 0 ? network.Layers[0].Forward(_tape, x) : Convolve(x, layer(i).Unscaled(), relu: true);
            if (i < PatchDescriptionNetwork.PooledLayers) x = _tape.AveragePool2d(x, padding: 0);
            var map = new RoundedMap(network.Layers[i].Name, x.Value);
            float[] units = steps(i);
            _tape.Record(x.Value, needsGradient: false, () => map.Round(_quantized.Format, units), _ => { });
            maps.Add(map);
        }

        return x;
    }

    private Variable Convolve(Variable input, LayerWeights layer, bool relu)
    {
        Tensor weights = _tape.Allocate(layer.Shape), bias = _tape.Allocate(Shape.Vector(layer.Shape.N));
        _backend.Upload(layer.Weights, weights);
        _backend.Upload(layer.Bias, bias);
        return _tape.Convolution2d(
            input, Variable.Constant(weights), Variable.Constant(bias), Convolution2dGeometry.Valid, relu);
    }

    /// <summary>A map with the channels of one, then of another.</summary>
    private Variable Join(Tensor first, Tensor second)
    {
        Shape shape = first.Shape with { C = first.Shape.C + second.Shape.C };
        Tensor joined = _tape.Allocate(shape);
        Tensor channels = joined.Reshape(new Shape(shape.C, 1, shape.H, shape.W));
        Tensor toFirst = channels.Samples(0, first.Shape.C).Reshape(first.Shape);
        Tensor toSecond = channels.Samples(first.Shape.C, second.Shape.C).Reshape(second.Shape);
        return _tape.Record(joined, needsGradient: false, Copy, _ => { });

        void Copy()
        {
            _backend.Copy(first, toFirst);
            _backend.Copy(second, toSecond);
        }
    }
}

/// <summary>A hidden map whose values are numbers of 8 bits times a step, and how many lay beyond the
/// largest.</summary>
/// <param name="Layer">Its name.</param>
/// <param name="Map">[1, c, h, w], on the CPU.</param>
internal sealed record RoundedMap(string Layer, Tensor Map)
{
    /// <summary>Values that were cut off at the last rounding.</summary>
    public int Saturated { get; private set; }

    /// <param name="steps">By channel.</param>
    public unsafe void Round(EightBits format, float[] steps)
    {
        Saturated = 0;
        var values = new Span<float>((void*)Map.Address, checked((int)Map.Shape.Count));
        for (int channel = 0; channel < steps.Length; channel++)
        {
            foreach (ref float value in values.Slice(channel * Map.Shape.Plane, Map.Shape.Plane))
            {
                float number = value / steps[channel];
                if (number > format.LargestActivation) Saturated++;
                value = format.RoundActivation(number) * steps[channel];
            }
        }
    }
}
