using System.Buffers;
using System.Buffers.Binary;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace EfficientAD.Models;

/// <summary>Collects tensors and metadata, then writes them as one safetensors file.</summary>
/// <remarks>Tensors are stored in the order in which they were added; the same content gives the same bytes. The data
/// start at a multiple of 64 bytes. A checksum is added to the metadata.</remarks>
public sealed class SafetensorsWriter
{
    private const int Alignment = 64, LengthBytes = 8;

    private readonly List<Pending> _tensors = [];
    private readonly HashSet<string> _names = [SafetensorsHeader.MetadataName];

    /// <summary>Free texts by name, written in ordinal order of the names.</summary>
    public Dictionary<string, string> Metadata { get; } = [];

    /// <summary>Adds one tensor; its values are read when the file is written.</summary>
    /// <param name="name">Unique within the file.</param>
    /// <param name="shape">Extents, outermost first; their product is the number of values.</param>
    /// <param name="values">Row-major.</param>
    /// <param name="type">F32, or F16 which rounds to nearest.</param>
    /// <exception cref="ArgumentException">The name is taken, shape and values disagree, or another type.</exception>
    public void Add(
        string name, ReadOnlySpan<long> shape, ReadOnlyMemory<float> values, SafetensorsType type = SafetensorsType.F32)
    {
        if (type is not (SafetensorsType.F32 or SafetensorsType.F16))
            throw new ArgumentException($"Tensor '{name}' cannot be written as {type}; F32 and F16 can.", nameof(type));
        Int128 count = 1;
        foreach (long extent in shape)
            count = extent >= 0 && count <= int.MaxValue ? count * extent : -1;
        if (count != values.Length)
        {
            throw new ArgumentException(
                $"Tensor '{name}' has shape [{string.Join(", ", shape.ToArray())}] but {values.Length} values.",
                nameof(values));
        }
        if (!_names.Add(name)) throw new ArgumentException($"The name '{name}' is already taken.", nameof(name));
        _tensors.Add(new Pending(name, type, shape.ToArray(), values));
    }

    /// <summary>Writes a file, whole or not at all: see <see cref="AtomicFile"/>.</summary>
    /// <exception cref="InvalidOperationException">A value does not fit into 16 bits.</exception>
    /// <exception cref="IOException">The disk is full, the folder is missing, and the like.</exception>
    public void Save(string path) => AtomicFile.Write(path, Write);

    /// <summary>Writes to a stream from its position on.</summary>
    /// <exception cref="InvalidOperationException">A value does not fit into 16 bits.</exception>
    public void Write(Stream stream)
    {
        var checksum = new SafetensorsChecksum();
        checksum.Add(Metadata);
        foreach (var tensor in _tensors) checksum.Add(tensor.Name, tensor.Type, tensor.Shape, tensor.Bytes());

        byte[] header = Header(checksum.Text);
        Span<byte> length = stackalloc byte[LengthBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        stream.Write(length);
        stream.Write(header);
        foreach (var tensor in _tensors) stream.Write(tensor.Bytes());
    }

    private byte[] Header(string checksum)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var options = new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (var json = new Utf8JsonWriter(buffer, options))
        {
            json.WriteStartObject();
            json.WriteStartObject(SafetensorsHeader.MetadataName);
            var texts = new SortedDictionary<string, string>(Metadata, StringComparer.Ordinal);
            texts[SafetensorsChecksum.Key] = checksum;
            foreach (var (key, value) in texts) json.WriteString(key, value);
            json.WriteEndObject();
            long offset = 0;
            foreach (var tensor in _tensors) tensor.Describe(json, ref offset);
            json.WriteEndObject();
        }
        // The format lets the header end in spaces.
        int padding = Alignment - 1 - (LengthBytes + buffer.WrittenCount - 1) % Alignment;
        buffer.GetSpan(padding)[..padding].Fill((byte)' ');
        buffer.Advance(padding);
        return buffer.WrittenSpan.ToArray();
    }

    private sealed record Pending(string Name, SafetensorsType Type, long[] Shape, ReadOnlyMemory<float> Values)
    {
        public void Describe(Utf8JsonWriter json, ref long offset)
        {
            json.WriteStartObject(Name);
            json.WriteString("dtype", Type.ToString());
            json.WriteStartArray("shape");
            foreach (long extent in Shape) json.WriteNumberValue(extent);
            json.WriteEndArray();
            json.WriteStartArray("data_offsets");
            json.WriteNumberValue(offset);
            json.WriteNumberValue(offset += (long)Values.Length * Type.Size());
            json.WriteEndArray();
            json.WriteEndObject();
        }

        public ReadOnlySpan<byte> Bytes()
        {
            if (Type == SafetensorsType.F32) return MemoryMarshal.AsBytes(Values.Span);
            var halves = new Half[Values.Length];
            TensorPrimitives.ConvertToHalf(Values.Span, halves);
            for (int i = 0; i < halves.Length; i++)
            {
                if (Half.IsInfinity(halves[i]) && float.IsFinite(Values.Span[i]))
                {
                    throw new InvalidOperationException(
                        $"Tensor '{Name}' has the value {Values.Span[i]} at {i}, beyond the 16-bit range of +-65504. " +
                        "Write it as F32.");
                }
            }
            return MemoryMarshal.AsBytes<Half>(halves);
        }
    }
}
