using System.Runtime.InteropServices;
using EfficientAD.Models;

namespace EfficientAD.Tests.Metrics;

/// <summary>The values that References/metrics.py wrote.</summary>
internal sealed class MetricsReference(string file) : IDisposable
{
    private readonly SafetensorsFile _file = SafetensorsFile.Open(
        typeof(MetricsReference).Assembly.GetManifestResourceStream($"metrics/{file}.safetensors")
            ?? throw new FileNotFoundException($"No embedded metrics/{file}.safetensors; run References/metrics.py."),
        file);

    public byte[] Bytes(string tensor) => _file.Get(tensor).Bytes.ToArray();

    public float[] Floats(string tensor) => MemoryMarshal.Cast<byte, float>(_file.Get(tensor).Bytes).ToArray();

    public double[] Doubles(string tensor) => MemoryMarshal.Cast<byte, double>(_file.Get(tensor).Bytes).ToArray();

    public int[] Integers(string tensor) =>
        [.. MemoryMarshal.Cast<byte, long>(_file.Get(tensor).Bytes).ToArray().Select(value => checked((int)value))];

    public void Dispose() => _file.Dispose();
}
