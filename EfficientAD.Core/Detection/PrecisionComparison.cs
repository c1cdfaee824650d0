using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Networks;
using EfficientAD.Networks.Quantization;
using EfficientAD.Tensors;

namespace EfficientAD.Detection;

/// <summary>What numbers of 8 bits do to one hidden map, over good images.</summary>
/// <param name="Layer">"teacher.conv2", ...</param>
/// <param name="RelativeError">Root of the squared errors' sum by that of the squared values.</param>
/// <param name="Saturated">Share of values beyond the largest number.</param>
public sealed record LayerError(string Layer, double RelativeError, double Saturated);

/// <summary>What a precision does to a model.</summary>
/// <param name="Precision">int8 or fp8.</param>
/// <param name="Fault">Why a detector refuses it, in a sentence; null where it does not.</param>
public sealed record PrecisionReport(
    string Precision, PrecisionParity Parity, string? Fault, IReadOnlyList<LayerError> Layers);

/// <summary>Computes good images in float32 and as numbers of 8 bits, and compares hidden maps, maps and scores. On the
/// CPU.</summary>
internal sealed class PrecisionComparison : IDisposable
{
    private readonly ModelInformation _model;
    private readonly EightBits _format;
    private readonly DetectionPlan _exact, _rounded;
    private readonly (double Error, double Size, long Saturated, long Count)[] _layers;
    private PrecisionParity _parity;

    /// <param name="networks">On a CPU backend, without padding.</param>
    public PrecisionComparison(
        DetectionNetworks networks, ModelInformation model, HiddenActivations activations, EightBits format)
    {
        (_model, _format) = (model, format);
        (int height, int width) = (model.InputHeight, model.InputWidth);
        _exact = new DetectionPlan(networks, model.MapOrder, height, width, DetectionMode.Precise, fit: model.Fit);
        _rounded = new DetectionPlan(
            networks, model.MapOrder, height, width, DetectionMode.Plain, batch: 1, model.Fit, tile: 0, shared: null,
            window: null, new QuantizedNetworks(networks, activations, format));
        _layers = new (double, double, long, long)[activations.Teacher.Count + activations.Student.Count];
    }

    /// <param name="hidden">Holds the image's hidden maps in float32.</param>
    public void Add(ImageView image, ActivationMeter hidden)
    {
        (float exactScore, float[] exact) = Detect(_exact, image);
        (float score, float[] map) = Detect(_rounded, image);
        float mapShift = 0;
        for (int i = 0; i < map.Length; i++) mapShift = MathF.Max(mapShift, MathF.Abs(map[i] - exact[i]));
        _parity = new PrecisionParity(
            _parity.Images + 1, Larger(_parity.ScoreShift, MathF.Abs(score - exactScore)),
            Larger(_parity.MapShift, mapShift));
        QuantizedMaps rounded = _rounded.Quantized!;
        foreach ((int i, (Tensor expected, RoundedMap actual)) in hidden.Teacher.Concat(hidden.Student)
            .Zip(rounded.Teacher.Concat(rounded.Student)).Index())
        {
            AddLayer(ref _layers[i], expected, actual);
        }
    }

    public PrecisionReport Result()
    {
        QuantizedMaps rounded = _rounded.Quantized!;
        IEnumerable<string> names = rounded.Teacher.Select(map => $"teacher.{map.Layer}")
            .Concat(rounded.Student.Select(map => $"student.{map.Layer}"));
        return new PrecisionReport(
            _format.Name, _parity, _parity.FindFault(_format.Name, _model.Calibration),
            [.. names.Zip(_layers, (name, layer) => new LayerError(
                name, Math.Sqrt(layer.Error / Math.Max(layer.Size, double.Epsilon)),
                (double)layer.Saturated / layer.Count))]);
    }

    public void Dispose()
    {
        _exact.Dispose();
        _rounded.Dispose();
    }

    /// <summary>What is not a number is beyond all.</summary>
    private static float Larger(float a, float b) => float.IsNaN(b) ? float.MaxValue : MathF.Max(a, b);

    private (float Score, float[] Map) Detect(DetectionPlan plan, ImageView image)
    {
        var map = new float[image.Width * image.Height];
        plan.ComputeMaps(image);
        return (plan.Combine(_model.Scaling, image.Height, image.Width, map), map);
    }

    private static unsafe void AddLayer(
        ref (double Error, double Size, long Saturated, long Count) layer, Tensor expected, RoundedMap actual)
    {
        int count = checked((int)expected.Shape.Count);
        var exact = new ReadOnlySpan<float>((void*)expected.Address, count);
        var rounded = new ReadOnlySpan<float>((void*)actual.Map.Address, count);
        float error = System.Numerics.Tensors.TensorPrimitives.Distance(exact, rounded);
        layer.Error += (double)error * error;
        layer.Size += System.Numerics.Tensors.TensorPrimitives.SumOfSquares(exact);
        layer.Saturated += actual.Saturated;
        layer.Count += count;
    }
}
