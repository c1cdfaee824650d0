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

    /// <summary>Another pickle's content, but for its protocol.</summary>
    public PickleBytes Append(PickleBytes other) => Add(((byte[])other).AsSpan(2));

    /// <summary>OmegaConf's node of one value, as it documents its classes.</summary>
    public static PickleBytes Node(Action<PickleBytes> value) => Configured("nodes", "AnyNode", "_val", value);

    public static PickleBytes List(params PickleBytes[] items) =>
        Configured("listconfig", "ListConfig", "_content", pickle =>
        {
            pickle.Letters("](");
            foreach (PickleBytes item in items) pickle.Append(item);
            pickle.Letters("e");
        });

    /// <summary>The part of anomalib's configuration before version 1 that an import reads.</summary>
    public static PickleBytes Configuration(PickleBytes? padding, PickleBytes? imageSize) =>
        Dictionary(
            ("model", Dictionary(("padding", padding))), ("dataset", Dictionary(("image_size", imageSize))));

    private static PickleBytes Dictionary(params (string Key, PickleBytes? Value)[] entries) =>
        Configured("dictconfig", "DictConfig", "_content", pickle =>
        {
            pickle.Letters("}(");
            foreach ((string key, PickleBytes? value) in entries)
                if (value is not null) pickle.Text(key).Append(value);
            pickle.Letters("u");
        });

    /// <summary>A node with what it keeps of itself beside its content.</summary>
    private static PickleBytes Configured(string module, string name, string content, Action<PickleBytes> value)
    {
        var pickle = new PickleBytes().Global($"omegaconf.{module}", name).Letters(")").Add(0x81).Letters("}(")
            .Text("_metadata").Global("omegaconf.base", "Metadata").Letters(")").Add(0x81).Letters("}")
            .Text("optional").Add(0x88).Letters("sb").Text("_parent").Letters("}").Text("padding").Add(0x89)
            .Letters("s").Text(content);
        value(pickle);
        return pickle.Letters("ub");
    }

    public PickleBytes End() => Letters(".");
}
