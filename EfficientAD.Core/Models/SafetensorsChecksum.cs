using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace EfficientAD.Models;

/// <summary>
/// What <see cref="SafetensorsWriter"/> puts into the metadata so that damage is noticed: XXH128 over the other
/// metadata in ordinal order of their keys, then each tensor's name, type, shape and bytes in the order of the data.
/// It guards against accidents, not against somebody who means to deceive.
/// </summary>
internal sealed class SafetensorsChecksum
{
    public const string Key = "efficientad.checksum";

    private readonly BlockHash _hash = new();

    public string Text => $"xxh128:{Value.ToString("x32", CultureInfo.InvariantCulture)}";

    public UInt128 Value => _hash.Value;

    public void Add(IReadOnlyDictionary<string, string> metadata)
    {
        foreach (var (key, value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (key == Key) continue;
            Add(key);
            Add(value);
        }
    }

    public void Add(string name, SafetensorsType type, ReadOnlySpan<long> shape, ReadOnlySpan<byte> bytes)
    {
        Add(name);
        Add(type.ToString());
        _hash.Add(MemoryMarshal.AsBytes(shape));
        _hash.Add(bytes);
    }

    /// <summary>Length first, so that no two lists of texts give the same bytes.</summary>
    private void Add(string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        _hash.Add(BitConverter.GetBytes(utf8.Length));
        _hash.Add(utf8);
    }
}
