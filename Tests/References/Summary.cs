using System.Globalization;
using EfficientAD.Tensors;

namespace EfficientAD.Tests.References;

/// <summary>Compares a large tensor with the brief that <c>summary</c> in safetensors_file.py stored of it: some of its
/// values, its norm, and its product with a random vector, in which an error at any place shows.</summary>
internal static class Summary
{
    private const ulong Seed = 99;

    /// <param name="relative">Tolerance relative to the tensor's norm; of single values ten times that, relative to
    /// their root mean square.</param>
    public static void Matches(
        ReferenceFile file, string name, Shape shape, ReadOnlySpan<float> actual, double relative, string because)
    {
        long count = 1;
        foreach (long extent in file.Integers($"{name}.shape")) count *= extent;
        Assert.True(
            count == shape.Count && shape.Count == actual.Length,
            $"{name}: {shape} where the reference has {count} values.");

        double squares = 0, projection = 0;
        for (int block = 0; block * 4 < actual.Length; block++)
        {
            new CounterRandom(Seed, 1).Block((ulong)block, out uint a, out uint b, out uint c, out uint d);
            ReadOnlySpan<uint> words = [a, b, c, d];
            for (int i = 0; i < 4 && block * 4 + i < actual.Length; i++)
            {
                double value = actual[block * 4 + i];
                squares += value * value;
                projection += value * (2 * ((words[i] >> 8) * (1.0 / (1 << 24))) - 1);
            }
        }

        double norm = file.Doubles($"{name}.norm")[0], tolerance = relative * norm;
        Near(name, "norm", norm, Math.Sqrt(squares), tolerance, because);
        Near(name, "projection", file.Doubles($"{name}.projection")[0], projection, tolerance, because);

        ReadOnlySpan<float> expected = file.Floats($"{name}.samples");
        var samples = new float[expected.Length];
        for (int i = 0; i < samples.Length; i++)
            samples[i] = actual[(int)Math.Floor(new CounterRandom(Seed, 0).Uniform((ulong)i) * (double)actual.Length)];
        TensorAssert.Close(
            expected, samples, 10 * tolerance / Math.Sqrt(count), because: $"samples of {name}: {because}");
    }

    private static void Near(
        string name, string what, double expected, double actual, double tolerance, string because) =>
        Assert.True(
            Math.Abs(expected - actual) <= tolerance,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{name}: {what} {actual:R}, expected {expected:R}; tolerated: {tolerance:G3} ({because})."));
}
