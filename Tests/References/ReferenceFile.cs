using System.Runtime.InteropServices;
using System.Text.Json;

namespace EfficientAD.Tests.References;

/// <summary>Values that another program wrote: an embedded safetensors file, beside the script that made it.</summary>
internal sealed class ReferenceFile
{
    private readonly byte[] _data;
    private readonly int _start;
    private readonly Dictionary<string, (string Type, int Begin, int End)> _entries = [];

    private ReferenceFile(byte[] data)
    {
        _data = data;
        int headerLength = checked((int)BitConverter.ToInt64(data, 0));
        _start = 8 + headerLength;
        using JsonDocument header = JsonDocument.Parse(data.AsMemory(8, headerLength));
        foreach (JsonProperty entry in header.RootElement.EnumerateObject())
        {
            if (entry.Name == "__metadata__") continue;
            JsonElement offsets = entry.Value.GetProperty("data_offsets");
            _entries[entry.Name] = (
                entry.Value.GetProperty("dtype").GetString()!, offsets[0].GetInt32(), offsets[1].GetInt32());
        }
    }

    /// <param name="name">Folder and file under Tests/References: "torch/operations.safetensors".</param>
    public static ReferenceFile Open(string name)
    {
        using Stream stream = typeof(ReferenceFile).Assembly.GetManifestResourceStream(name)
            ?? throw new FileNotFoundException($"The test assembly has no embedded reference '{name}'.");
        var data = new byte[stream.Length];
        stream.ReadExactly(data);
        return new ReferenceFile(data);
    }

    public ReadOnlySpan<byte> Bytes(string tensor) => Read<byte>(tensor, "U8");

    public ReadOnlySpan<float> Floats(string tensor) => Read<float>(tensor, "F32");

    public ReadOnlySpan<double> Doubles(string tensor) => Read<double>(tensor, "F64");

    public ReadOnlySpan<long> Integers(string tensor) => Read<long>(tensor, "I64");

    private ReadOnlySpan<T> Read<T>(string tensor, string type) where T : struct
    {
        if (!_entries.TryGetValue(tensor, out var entry))
            throw new KeyNotFoundException($"The reference has no tensor '{tensor}'.");
        Assert.True(entry.Type == type, $"'{tensor}' is {entry.Type}, not {type}.");
        return MemoryMarshal.Cast<byte, T>(_data.AsSpan(_start + entry.Begin, entry.End - entry.Begin));
    }
}
