using System.Security.Cryptography;
using EfficientAD.Distillation;
using EfficientAD.Imaging;
using EfficientAD.Models;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace EfficientAD.Cli.Distillation;

/// <summary>A backbone from an ONNX file, run by ONNX Runtime on the processor. Any value that the graph computes can
/// be a stage, a declared output or not.</summary>
/// <remarks>ONNX Runtime is native code: use files from a source that you trust. One thread unless told otherwise,
/// since the training itself uses all of them.</remarks>
internal sealed class OnnxBackbone : IBackbone
{
    private const int LargestListing = 400;

    private readonly string _path;
    private readonly InferenceSession _session;
    private readonly InputNormalization _normalization;
    private readonly string _input;
    private readonly string[] _stages;
    private readonly int[] _inputShape;
    private float[] _values = [];

    /// <param name="earlier">Name of the stage of stride 8: "layer2".</param>
    /// <param name="later">Name of the stage of stride 16: "layer3".</param>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    /// <exception cref="ModelFormatException">It is no ONNX model, or lacks a stage; the message lists what there
    /// is.</exception>
    public OnnxBackbone(string path, string earlier, string later, InputNormalization normalization, int threads = 1)
    {
        byte[] model = File.ReadAllBytes(path);
        (_path, _normalization, _stages) = (path, normalization, [earlier, later]);
        string hash = Convert.ToHexStringLower(SHA256.HashData(model));
        Fingerprint = $"sha256:{hash} {earlier}+{later} {normalization.Name}";
        var graph = new OnnxGraph(path, model);
        foreach (string stage in _stages)
        {
            if (graph.Computes(stage)) continue;
            string[] values = [.. graph.Describe()];
            string more = values.Length > LargestListing ? $" and {values.Length - LargestListing} more" : "";
            throw new ModelFormatException(
                $"{path} computes no '{stage}'. Name its stages of stride 8 and 16 with --stages. It computes: " +
                $"{string.Join(", ", values.Take(LargestListing))}{more}.");
        }

        using var options = new SessionOptions
        {
            IntraOpNumThreads = threads,
            InterOpNumThreads = 1,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        try
        {
            _session = new InferenceSession(graph.WithOutputs(_stages), options);
        }
        catch (OnnxRuntimeException e)
        {
            throw new ModelFormatException($"ONNX Runtime refuses {path}: {e.Message}", e);
        }

        (_input, NodeMetadata metadata) = _session.InputMetadata.First();
        _inputShape = metadata.Dimensions;
    }

    public string Fingerprint { get; }

    /// <exception cref="ModelFormatException">The network does not take an image of this size, or a stage is no feature
    /// map.</exception>
    public (FeatureMap Earlier, FeatureMap Later) Extract(RgbImage image)
    {
        if (_inputShape is [_, _, var height and > 0, var width and > 0]
            && (height, width) != (image.Height, image.Width))
        {
            throw new ModelFormatException(
                $"{_path} takes images of {width} x {height} only, not {image.Width} x {image.Height}. " +
                $"Views are half as large: use --view {height / 2}.");
        }

        int count = 3 * image.Width * image.Height;
        if (_values.Length != count) _values = new float[count];
        _normalization.Apply(image.Pixels, _values);
        try
        {
            using var input = OrtValue.CreateTensorValueFromMemory(_values, [1, 3, image.Height, image.Width]);
            using var options = new RunOptions();
            using IDisposableReadOnlyCollection<OrtValue> results = _session.Run(options, [_input], [input], _stages);
            return (Copy(results[0], _stages[0]), Copy(results[1], _stages[1]));
        }
        catch (OnnxRuntimeException e)
        {
            throw new ModelFormatException(
                $"ONNX Runtime cannot run {_path} on an image of {image.Width} x {image.Height}: {e.Message}", e);
        }
    }

    public void Dispose() => _session.Dispose();

    private FeatureMap Copy(OrtValue value, string stage)
    {
        OrtTensorTypeAndShapeInfo tensor = value.GetTensorTypeAndShape();
        if (tensor.Shape is not [1, var channels, var height, var width]
            || tensor.ElementDataType != TensorElementType.Float)
        {
            throw new ModelFormatException(
                $"'{stage}' of {_path} is {tensor.ElementDataType} [{string.Join(", ", tensor.Shape)}] but a stage " +
                "is Float [1, channels, height, width]. Name another one with --stages.");
        }

        return new FeatureMap((int)channels, (int)height, (int)width, value.GetTensorDataAsSpan<float>().ToArray());
    }
}
