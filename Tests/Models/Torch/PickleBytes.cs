using System.Buffers.Binary;
using System.Text;

namespace EfficientAD.Tests.Models.Torch;

/// <summary>Writes pickles by hand, the way Python writes them and the ways it never would.</summary>
internal sealed class PickleBytes
{
    private readonly List<byte> _bytes = [0x80, 2];

    public static implicit operator byte[](PickleBytes pickle) => [.. pickle._bytes];

    public PickleBytes Add(params ReadOnlySpan<byte> bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public PickleBytes Text(string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text), length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, utf8.Length);
        return Add((byte)'X').Add(length).Add(utf8);
    }

    public PickleBytes Integer(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        return Add((byte)'J').Add(bytes);
    }

    public PickleBytes Long(long value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return Add(0x8a, 8).Add(bytes);
    }

    public PickleBytes Global(string module, string name) =>
        Add((byte)'c').Add(Encoding.UTF8.GetBytes($"{module}\n{name}\n"));

    /// <summary>Opcodes that are letters.</summary>
    public PickleBytes Letters(string opcodes) => Add(Encoding.ASCII.GetBytes(opcodes));

    /// <summary>("storage", class, key, "cpu", count) as a persistent id, hence a storage.</summary>
    public PickleBytes Storage(string key, long count, string type = "FloatStorage") =>
        Letters("(").Text("storage").Global("torch", type).Text(key).Text("cpu").Long(count).Letters("tQ");

    /// <summary>A tensor over the storage "0".</summary>
    public PickleBytes Tensor(long count, long offset, long[] shape, long[] strides, string type = "FloatStorage")
    {
        Global("torch._utils", "_rebuild_tensor_v2").Letters("(").Storage("0", count, type).Long(offset).Letters("(");
        foreach (long extent in shape) Long(extent);
        Letters("t(");
        foreach (long stride in strides) Long(stride);
        return Letters("t").Add(0x89).Global("collections", "OrderedDict").Letters(")RtR");
    }

    public PickleBytes End() => Letters(".");
}
