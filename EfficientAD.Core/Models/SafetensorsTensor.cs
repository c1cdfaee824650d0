using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace EfficientAD.Models;

/// <summary>One tensor of an open <see cref="SafetensorsFile"/>; its bytes are valid until that is disposed.</summary>
public readonly ref struct SafetensorsTensor
{
    private readonly string _file;

    internal SafetensorsTensor(string file, SafetensorsEntry entry, ReadOnlySpan<byte> bytes)
    {
        (_file, Name, Type) = (file, entry.Name, entry.Type);
        Shape = entry.Shape;
        Bytes = bytes;
    }

    public string Name { get; }

    public SafetensorsType Type { get; }

    /// <summary>Extents, outermost first; empty for a scalar.</summary>
    public ReadOnlySpan<long> Shape { get; }

    /// <summary>The values, row-major and little-endian, in the file's own memory.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    /// <summary>Number of values.</summary>
    public int Count => Bytes.Length / Type.Size();

    /// <summary>Converts all values to float. F16 and BF16 convert exactly, F64 rounds to nearest.</summary>
    /// <param name="destination">Overwritten; must hold exactly <see cref="Count"/> values.</param>
    /// <exception cref="ModelFormatException">The values are not F16, BF16, F32 or F64.</exception>
    /// <exception cref="ArgumentException"><paramref name="destination"/> has another length.</exception>
    public void ReadFloats(Span<float> destination)
    {
        if (destination.Length != Count)
        {
            throw new ArgumentException(
                $"Tensor '{Name}' of {_file} has {Count} values but the destination holds {destination.Length}.",
                nameof(destination));
        }
        switch (Type)
        {
            case SafetensorsType.F32:
                Bytes.CopyTo(MemoryMarshal.AsBytes(destination));
                break;
            case SafetensorsType.F16:
                TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(Bytes), destination);
                break;
            case SafetensorsType.BF16:
                var upperHalves = MemoryMarshal.Cast<byte, ushort>(Bytes);
                for (int i = 0; i < destination.Length; i++)
                    destination[i] = BitConverter.UInt32BitsToSingle((uint)upperHalves[i] << 16);
                break;
            case SafetensorsType.F64:
                var doubles = MemoryMarshal.Cast<byte, double>(Bytes);
                for (int i = 0; i < destination.Length; i++) destination[i] = (float)doubles[i];
                break;
            default:
                throw new ModelFormatException(
                    $"Tensor '{Name}' of {_file} holds {Type} values; F16, BF16, F32 or F64 can be read as floats.");
        }
    }
}
