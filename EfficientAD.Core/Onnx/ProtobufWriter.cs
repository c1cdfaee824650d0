using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace EfficientAD.Onnx;

/// <summary>Fields of one protobuf message, in the order in which they are written.</summary>
internal sealed class ProtobufWriter
{
    private const int Variable = 0, LengthDelimited = 2, Fixed32 = 5;

    private readonly ArrayBufferWriter<byte> _bytes = new();

    public ReadOnlySpan<byte> Written => _bytes.WrittenSpan;

    public void Integer(int field, long value)
    {
        WriteVariable((ulong)(field << 3 | Variable));
        WriteVariable((ulong)value);
    }

    public void Number(int field, float value)
    {
        WriteVariable((ulong)(field << 3 | Fixed32));
        BinaryPrimitives.WriteSingleLittleEndian(_bytes.GetSpan(sizeof(float)), value);
        _bytes.Advance(sizeof(float));
    }

    public void Bytes(int field, ReadOnlySpan<byte> value)
    {
        WriteVariable((ulong)(field << 3 | LengthDelimited));
        WriteVariable((ulong)value.Length);
        _bytes.Write(value);
    }

    public void Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    /// <param name="write">Writes the inner message's fields.</param>
    public void Message(int field, Action<ProtobufWriter> write)
    {
        var inner = new ProtobufWriter();
        write(inner);
        Bytes(field, inner.Written);
    }

    private void WriteVariable(ulong value)
    {
        Span<byte> span = _bytes.GetSpan(10);
        int length = 0;
        for (; value >= 0x80; value >>= 7) span[length++] = (byte)(value | 0x80);
        span[length++] = (byte)value;
        _bytes.Advance(length);
    }
}
