namespace EfficientAD.Cli.Distillation;

/// <summary>What a backbone expects of its input: (sample / range - mean) / deviation, samples from 0 to 255.</summary>
internal sealed class InputNormalization
{
    private readonly bool _blueFirst;
    private readonly float[] _scale, _offset;

    /// <param name="blueFirst">Whether the channels are blue, green, red.</param>
    /// <param name="range">255 if samples are brought to [0, 1] first, else 1.</param>
    /// <param name="mean">Of red, green, blue.</param>
    /// <param name="deviation">Of red, green, blue.</param>
    private InputNormalization(string name, bool blueFirst, float range, float[] mean, float[] deviation)
    {
        (Name, _blueFirst) = (name, blueFirst);
        _scale = [.. deviation.Select(value => 1 / (range * value))];
        _offset = [.. mean.Zip(deviation, (m, d) => -m / d)];
    }

    public static IReadOnlyList<InputNormalization> All { get; } =
    [
        // torchvision, timm, Gluon and the ONNX model zoo.
        new("imagenet", false, 255, [0.485f, 0.456f, 0.406f], [0.229f, 0.224f, 0.225f]),
        // Caffe and CNTK, from which ML.NET's ResNets come.
        new("caffe", true, 1, [123.68f, 116.779f, 103.939f], [1, 1, 1]),
        new("unit", false, 255, [0, 0, 0], [1, 1, 1]),
    ];

    /// <summary>How the command line calls it.</summary>
    public string Name { get; }

    /// <summary>From 8-bit RGB to [1, 3, h, w].</summary>
    public void Apply(ReadOnlySpan<byte> rgb, Span<float> planes)
    {
        int plane = planes.Length / 3;
        for (int c = 0; c < 3; c++)
        {
            float scale = _scale[c], offset = _offset[c];
            Span<float> values = planes.Slice((_blueFirst ? 2 - c : c) * plane, plane);
            for (int i = 0; i < values.Length; i++) values[i] = rgb[3 * i + c] * scale + offset;
        }
    }
}
