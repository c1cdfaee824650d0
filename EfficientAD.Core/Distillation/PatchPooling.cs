using System.Numerics.Tensors;

namespace EfficientAD.Distillation;

/// <summary>From one stage of a backbone to its half of the target: 3 x 3 patches (stride 1, zero padding 1), every
/// patch's vector (channel, row, column) average-pooled adaptively to 1024 values, these to 192.</summary>
/// <remarks>Both pools are linear and the same everywhere: together they are one sparse 3 x 3 convolution, about 30
/// taps an output for 512 channels, and the patches are never written out.</remarks>
internal sealed class PatchPooling
{
    /// <summary>Values per location of the result: half of the teacher's channels.</summary>
    public const int Outputs = 192;

    private const int Patch = 3, PatchVector = 1024;

    private readonly int _channels;
    private readonly Tap[][] _taps;

    /// <param name="channels">Of the stage.</param>
    public PatchPooling(int channels)
    {
        _channels = channels;
        var weights = new float[channels * Patch * Patch];
        _taps = new Tap[Outputs][];
        for (int output = 0; output < Outputs; output++)
        {
            Array.Clear(weights);
            (int first, int end) = AdaptiveWindow(output, PatchVector, Outputs);
            for (int i = first; i < end; i++)
            {
                (int start, int stop) = AdaptiveWindow(i, weights.Length, PatchVector);
                for (int j = start; j < stop; j++) weights[j] += 1f / (end - first) / (stop - start);
            }

            _taps[output] =
            [
                .. Enumerable.Range(0, weights.Length).Where(j => weights[j] != 0)
                    .Select(j => new Tap(j / (Patch * Patch), j / Patch % Patch, j % Patch, weights[j])),
            ];
        }
    }

    /// <param name="stage">[channels, h, w].</param>
    /// <returns>[192, h, w].</returns>
    public FeatureMap Apply(FeatureMap stage)
    {
        if (stage.Channels != _channels)
            throw new ArgumentException($"The stage {stage} must have {_channels} channels.", nameof(stage));
        int height = stage.Height, width = stage.Width, pitch = width + 2, padded = (height + 2) * pitch;
        var input = new float[_channels * padded];
        for (int row = 0; row < _channels * height; row++)
        {
            stage.Values.Span.Slice(row * width, width)
                .CopyTo(input.AsSpan(row / height * padded + (row % height + 1) * pitch + 1));
        }

        // All rows at once: the two values between rows are computed, too, and dropped.
        var sum = new float[height * pitch - 2];
        var result = new float[Outputs * height * width];
        for (int output = 0; output < Outputs; output++)
        {
            Array.Clear(sum);
            foreach (Tap tap in _taps[output])
            {
                int start = tap.Channel * padded + tap.Row * pitch + tap.Column;
                ReadOnlySpan<float> shifted = input.AsSpan(start, sum.Length);
                TensorPrimitives.MultiplyAdd(shifted, tap.Weight, sum, sum);
            }

            for (int y = 0; y < height; y++)
                sum.AsSpan(y * pitch, width).CopyTo(result.AsSpan((output * height + y) * width));
        }

        return new FeatureMap(Outputs, height, width, result);
    }

    /// <summary>Inputs [first, end) that an adaptive average pool from <paramref name="inputs"/> to <paramref
    /// name="outputs"/> values averages, as PyTorch defines it.</summary>
    private static (int First, int End) AdaptiveWindow(int output, int inputs, int outputs) =>
        ((int)((long)output * inputs / outputs), (int)(((long)(output + 1) * inputs + outputs - 1) / outputs));

    private readonly record struct Tap(int Channel, int Row, int Column, float Weight);
}
