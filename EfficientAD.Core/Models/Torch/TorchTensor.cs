using System.Runtime.InteropServices;

namespace EfficientAD.Models.Torch;

/// <summary>A run of values of one type in the file, which several tensors may share.</summary>
/// <param name="Key">Its name within the file.</param>
/// <param name="Type">Null for a type that we do not read, such as complex or quantised numbers.</param>
/// <param name="TypeName">As PyTorch names the class, for messages.</param>
/// <param name="Start">First value, for old files where one storage is a part of another.</param>
/// <param name="Count">Number of values.</param>
internal sealed record TorchStorage(string Key, SafetensorsType? Type, string TypeName, long Start, long Count)
{
    /// <summary>The element type of a storage class.</summary>
    public static SafetensorsType? TypeOf(string className) => className switch
    {
        "FloatStorage" => SafetensorsType.F32,
        "HalfStorage" => SafetensorsType.F16,
        "BFloat16Storage" => SafetensorsType.BF16,
        "DoubleStorage" => SafetensorsType.F64,
        "LongStorage" => SafetensorsType.I64,
        "IntStorage" => SafetensorsType.I32,
        "ShortStorage" => SafetensorsType.I16,
        "CharStorage" => SafetensorsType.I8,
        "ByteStorage" => SafetensorsType.U8,
        "BoolStorage" => SafetensorsType.BOOL,
        _ => null,
    };
}

/// <summary>A view of a storage: value (i, j, ...) is number Offset + i Strides[0] + j Strides[1] + ...</summary>
internal sealed class TorchTensor
{
    private const int MaximumRank = 16;

    private TorchTensor(TorchStorage storage, long offset, long[] shape, long[] strides, long count, long last) =>
        (Storage, Offset, Shape, Strides, Count, Last) = (storage, offset, shape, strides, count, last);

    public TorchStorage Storage { get; }

    public long Offset { get; }

    /// <summary>Extents, outermost first; empty for a scalar.</summary>
    public long[] Shape { get; }

    public long[] Strides { get; }

    /// <summary>Number of values, at most 2^31 - 1.</summary>
    public long Count { get; }

    /// <summary>Where in the storage the view's last value lies.</summary>
    public long Last { get; }

    /// <exception cref="ModelFormatException">The view does not lie within its storage, or is larger than can be
    /// read.</exception>
    public static TorchTensor Create(TorchStorage storage, long offset, long[] shape, long[] strides)
    {
        string described = $"a tensor [{string.Join(", ", shape)}] with strides [{string.Join(", ", strides)}]";
        if (shape.Length != strides.Length || shape.Length > MaximumRank)
            throw new ModelFormatException(
                $"describes a tensor of {shape.Length} extents and {strides.Length} strides");
        Int128 count = 1, last = offset;
        for (int i = 0; i < shape.Length; i++)
        {
            if (shape[i] < 0 || strides[i] < 0)
                throw new ModelFormatException($"describes {described}; negative ones cannot be read");
            count *= shape[i];
            if (count > int.MaxValue)
                throw new ModelFormatException($"describes {described}: more than {int.MaxValue} values, the limit");
            last += (Int128)Math.Max(0, shape[i] - 1) * strides[i];
        }

        if (offset < 0 || (count > 0 && last >= storage.Count))
            throw new ModelFormatException(
                $"describes {described} from value {offset} on, in a storage of {storage.Count} values");
        return new TorchTensor(storage, offset, shape, strides, (long)count, (long)last);
    }

    /// <summary>Copies the values, row-major, as floats.</summary>
    /// <param name="bytes">The storage's bytes, from its first value to at least the view's last.</param>
    /// <param name="destination">Overwritten; <see cref="Count"/> values.</param>
    public void ReadFloats(ReadOnlySpan<byte> bytes, Span<float> destination)
    {
        switch (Storage.Type)
        {
            case SafetensorsType.F32:
                Gather(MemoryMarshal.Cast<byte, float>(bytes), destination, value => value);
                break;
            case SafetensorsType.F16:
                Gather(MemoryMarshal.Cast<byte, Half>(bytes), destination, value => (float)value);
                break;
            case SafetensorsType.F64:
                Gather(MemoryMarshal.Cast<byte, double>(bytes), destination, value => (float)value);
                break;
            case SafetensorsType.BF16:
                Gather(MemoryMarshal.Cast<byte, ushort>(bytes), destination, FromBFloat16);
                break;
            default:
                throw new ModelFormatException(
                    $"holds values of {Storage.TypeName}; float32, float16, bfloat16 and " +
                    "float64 can be read as weights");
        }
    }

    private static float FromBFloat16(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    private void Gather<T>(ReadOnlySpan<T> values, Span<float> destination, Func<T, float> convert)
    {
        if (Count == 0) return;
        if (Shape.Length == 0)
        {
            destination[0] = convert(values[(int)Offset]);
            return;
        }

        Span<long> index = stackalloc long[MaximumRank];
        index.Clear();
        int inner = Shape.Length - 1, length = (int)Shape[inner], stride = (int)Math.Min(Strides[inner], int.MaxValue);
        for (int filled = 0; filled < destination.Length; filled += length)
        {
            long at = Offset;
            for (int i = 0; i < inner; i++) at += index[i] * Strides[i];
            for (int i = 0; i < length; i++) destination[filled + i] = convert(values[(int)(at + (long)i * stride)]);
            for (int i = inner - 1; i >= 0 && ++index[i] == Shape[i]; i--) index[i] = 0;
        }
    }
}
