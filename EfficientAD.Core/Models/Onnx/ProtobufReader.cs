using System.Buffers.Binary;

namespace EfficientAD.Models.Onnx;

/// <summary>Steps through the fields of one protobuf message. Every length is checked; nothing is copied.</summary>
internal ref struct ProtobufReader(string file, ReadOnlySpan<byte> message, int start)
{
    private readonly ReadOnlySpan<byte> _message = message;
    private int _at;

    /// <summary>Number of the current field.</summary>
    public int Field { get; private set; }

    /// <summary>The current field's value, if it is a number of variable length.</summary>
    public ulong Number { get; private set; }

    /// <summary>The current field's content, if it has a length: a text, bytes, a message or packed numbers.</summary>
    public ReadOnlySpan<byte> Content { get; private set; }

    /// <summary>Where <see cref="Content"/> begins in the whole file.</summary>
    public int ContentStart { get; private set; }

    /// <summary>Whether the current field has a content.</summary>
    public bool HasContent { get; private set; }

    /// <summary>Steps to the next field; false at the end.</summary>
    /// <exception cref="ModelFormatException">The message is damaged.</exception>
    public bool Read()
    {
        if (_at == _message.Length) return false;
        ulong tag = ReadVariable();
        (Field, Number, HasContent) = ((int)Math.Min(tag >> 3, int.MaxValue), 0, false);
        Content = [];
        switch (tag & 7)
        {
            case 0: Number = ReadVariable(); break;
            case 1: Number = BinaryPrimitives.ReadUInt64LittleEndian(Take(8)); break;
            case 5: Number = BinaryPrimitives.ReadUInt32LittleEndian(Take(4)); break;
            case 2:
                ulong length = ReadVariable();
                ContentStart = start + _at;
                Content = Take(length);
                HasContent = true;
                break;
            default: throw Damaged($"has a field of wire type {tag & 7}");
        }

        return true;
    }

    /// <summary>A reader for the current field's content.</summary>
    public readonly ProtobufReader Message() => new(file, Content, ContentStart);

    /// <summary>Adds the current field, one number or several packed ones, to a list.</summary>
    public readonly void AddNumbers(List<long> numbers, int limit)
    {
        if (!HasContent) numbers.Add((long)Number);
        var packed = new ProtobufReader(file, Content, ContentStart);
        while (packed._at < packed._message.Length && numbers.Count <= limit) numbers.Add((long)packed.ReadVariable());
        if (numbers.Count > limit) throw Damaged($"has a list of more than {limit} numbers");
    }

    public readonly ModelFormatException Damaged(string what) =>
        new($"{file} is no ONNX model, or damaged: at byte {start + _at} it {what}. Get the file again.");

    private ulong ReadVariable()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte next = Take(1)[0];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80) return value;
        }

        throw Damaged("has a number of more than 10 bytes");
    }

    private ReadOnlySpan<byte> Take(ulong count)
    {
        if (count > (ulong)(_message.Length - _at))
            throw Damaged($"needs {count} bytes where {_message.Length - _at} are left");
        ReadOnlySpan<byte> taken = _message.Slice(_at, (int)count);
        _at += (int)count;
        return taken;
    }
}
