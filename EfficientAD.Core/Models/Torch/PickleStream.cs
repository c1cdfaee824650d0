using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace EfficientAD.Models.Torch;

/// <summary>Reads the operands of a pickle: every length is checked against what is left.</summary>
internal ref struct PickleStream(string file, ReadOnlySpan<byte> bytes)
{
    // Names and paths are short; the longest text is a module's source code in old files.
    private const int MaximumText = 4 << 20, MaximumLongBytes = 255;
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    public int Position { get; private set; }

    public byte Byte() => Take(1)[0];

    public ushort UInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    public int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    public double Double() => BinaryPrimitives.ReadDoubleBigEndian(Take(8));

    public void Skip(int count) => Take(count);

    /// <summary>A length of 1, 4 or 8 bytes.</summary>
    public int Length(int size)
    {
        ulong length = size switch
        {
            1 => Byte(),
            4 => BinaryPrimitives.ReadUInt32LittleEndian(Take(4)),
            _ => BinaryPrimitives.ReadUInt64LittleEndian(Take(8)),
        };
        return length <= int.MaxValue ? (int)length : throw Refused($"gives a length of {length} bytes");
    }

    public string Text(int length)
    {
        if (length > MaximumText) throw Refused($"holds a text of {length} bytes; the limit is {MaximumText}");
        ReadOnlySpan<byte> utf8 = Take(length);
        try
        {
            return Utf8.GetString(utf8);
        }
        catch (DecoderFallbackException)
        {
            throw Refused("holds a text that is not UTF-8");
        }
    }

    public string Latin1(int length)
    {
        if (length > MaximumText) throw Refused($"holds a text of {length} bytes; the limit is {MaximumText}");
        return Encoding.Latin1.GetString(Take(length));
    }

    public byte[] Bytes(int length)
    {
        if (length > MaximumText) throw Refused($"holds {length} bytes in one piece; the limit is {MaximumText}");
        return Take(length).ToArray();
    }

    /// <summary>Up to the end of the line, which is read but not returned.</summary>
    public string Line()
    {
        int length = _bytes[Position..].IndexOf((byte)'\n');
        if (length < 0) throw Refused("ends within a name");
        string line = Text(length);
        Position++;
        return line;
    }

    /// <summary>A whole number of any length: long where it fits, else BigInteger.</summary>
    public object Long(int length)
    {
        if (length > MaximumLongBytes)
            throw Refused($"holds a number of {length} bytes; the limit is {MaximumLongBytes}");
        var value = new BigInteger(Take(length));
        return value >= long.MinValue && value <= long.MaxValue ? (object)(long)value : value;
    }

    public readonly ModelFormatException Refused(string what) =>
        new($"{file} cannot be read: its pickle {what}, at byte {Position}. " +
            "The file is damaged or hostile; nothing in it was run.");

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _bytes.Length - Position) throw Refused($"ends {count - (_bytes.Length - Position)} bytes early");
        ReadOnlySpan<byte> taken = _bytes.Slice(Position, count);
        Position += count;
        return taken;
    }
}
