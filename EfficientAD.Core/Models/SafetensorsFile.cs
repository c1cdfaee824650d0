using System.Buffers.Binary;
using EfficientAD.Models.Torch;

namespace EfficientAD.Models;

/// <summary>A safetensors file, open for reading: named tensors and a dictionary of strings.</summary>
/// <remarks>
/// Files are untrusted: every length, name, type, shape and offset is checked when the file is opened, nothing in it is
/// executed, and memory is only taken in proportion to the header. Where the file carries
/// <see cref="SafetensorsChecksum"/>, as those written by <see cref="SafetensorsWriter"/> do, that is verified too.
/// Safe for use from several threads until it is disposed. Format: 8 bytes header length, JSON, then the data.
/// </remarks>
public sealed unsafe class SafetensorsFile : IDisposable
{
    private const int LengthBytes = 8;

    private readonly SafetensorsHeader _header;
    private readonly byte[]? _array;
    private readonly byte* _pointer;
    private readonly long _dataStart;
    private IDisposable? _owner;
    private bool _isDisposed;

    private SafetensorsFile(string name, byte[]? array, byte* pointer, long length, IDisposable? owner)
    {
        (Name, _array, _owner) = (name, array, owner);
        _pointer = pointer;
        if (length < LengthBytes + 2)
        {
            throw new ModelFormatException(
                $"{name} is no safetensors file: it has {length} bytes, the smallest has {LengthBytes + 2}.");
        }
        ReadOnlySpan<byte> start = Slice(0, LengthBytes + 2);
        if (!Is(start) && (TorchFile.IsZip(start) || TorchFile.IsPickle(start)))
        {
            throw new ModelFormatException(
                $"{name} is no safetensors file: it starts like one of PyTorch. Make one of it: " +
                $"efficientad import {name} --out FILE");
        }
        ulong headerLength = BinaryPrimitives.ReadUInt64LittleEndian(Slice(0, LengthBytes));
        if (headerLength > SafetensorsHeader.MaximumLength || headerLength > (ulong)(length - LengthBytes))
        {
            throw new ModelFormatException(
                $"{name} is no safetensors file, or cut off: its header would take {headerLength} bytes but the file " +
                $"has {length}, and the limit is {SafetensorsHeader.MaximumLength}.");
        }
        _dataStart = LengthBytes + (long)headerLength;
        _header = SafetensorsHeader.Parse(name, Slice(LengthBytes, (int)headerLength), length - _dataStart);
        Names = [.. _header.Entries.Keys];
        VerifyChecksum();
    }

    /// <summary>How messages name the file: the path it was opened by.</summary>
    public string Name { get; }

    /// <summary>The header's <c>__metadata__</c>; empty where there is none.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    /// <summary>The tensors' names in the order of their data.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Whether a file that starts so can be one: eight bytes of length, then JSON.</summary>
    internal static bool Is(ReadOnlySpan<byte> start) => start is [_, _, _, _, _, 0, 0, 0, (byte)'{', ..];

    /// <summary>Maps a file into memory; values are read from the disk as they are touched.</summary>
    /// <exception cref="ModelFormatException">The content is not a sound safetensors file.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static SafetensorsFile Open(string path)
    {
        var view = MappedFile.Open(path);
        try
        {
            return new SafetensorsFile(path, null, view.Pointer, view.Length, view);
        }
        catch
        {
            view.Dispose();
            throw;
        }
    }

    /// <summary>Reads from memory; the array must not change while the file is in use.</summary>
    /// <param name="name">How messages name the file.</param>
    /// <exception cref="ModelFormatException">The content is not a sound safetensors file.</exception>
    public static SafetensorsFile Open(byte[] bytes, string name) => new(name, bytes, null, bytes.Length, null);

    /// <summary>Reads a stream from its position to its end. An embedded resource is not copied.</summary>
    /// <param name="stream">Owned by the file from now on, whether opening succeeds or not.</param>
    /// <param name="name">How messages name the file.</param>
    /// <exception cref="ModelFormatException">The content is not a sound safetensors file.</exception>
    public static SafetensorsFile Open(Stream stream, string name)
    {
        try
        {
            if (stream is UnmanagedMemoryStream resource)
            {
                long length = resource.Length - resource.Position;
                return new SafetensorsFile(name, null, resource.PositionPointer, length, resource);
            }
            using var memory = new MemoryStream();
            stream.CopyTo(memory);
            var file = Open(memory.ToArray(), name);
            stream.Dispose();
            return file;
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>The tensor of this name.</summary>
    /// <exception cref="ModelFormatException">There is none; the message lists what there is.</exception>
    public SafetensorsTensor Get(string name)
    {
        if (TryGet(name, out var tensor)) return tensor;
        const int shown = 12;
        string names = string.Join(", ", Names.Take(shown).Select(SafetensorsHeader.Printable).DefaultIfEmpty("none"));
        string rest = Names.Count > shown ? $" and {Names.Count - shown} more" : "";
        throw new ModelFormatException($"{Name} has no tensor '{name}'. It holds: {names}{rest}.");
    }

    public bool TryGet(string name, out SafetensorsTensor tensor)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        tensor = default;
        if (!_header.Entries.TryGetValue(name, out var entry)) return false;
        tensor = new SafetensorsTensor(Name, entry, Slice(_dataStart + entry.Offset, entry.Length));
        return true;
    }

    /// <summary>Converts the values of one tensor to float: see <see cref="SafetensorsTensor.ReadFloats"/>.</summary>
    public void ReadFloats(string name, Span<float> destination) => Get(name).ReadFloats(destination);

    /// <summary>Unmaps the file; spans into it must not be used any more.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        _owner?.Dispose();
        _owner = null;
    }

    private ReadOnlySpan<byte> Slice(long offset, int length) =>
        _array is null ? new(_pointer + offset, length) : _array.AsSpan((int)offset, length);

    private void VerifyChecksum()
    {
        if (!Metadata.TryGetValue(SafetensorsChecksum.Key, out string? expected)) return;
        var checksum = new SafetensorsChecksum();
        checksum.Add(Metadata);
        foreach (string name in Names)
        {
            var tensor = Get(name);
            checksum.Add(name, tensor.Type, tensor.Shape, tensor.Bytes);
        }
        if (checksum.Text != expected)
        {
            throw new ModelFormatException(
                $"{Name} is damaged: its checksum is {checksum.Text} but the file says " +
                $"{SafetensorsHeader.Printable(expected)}. Get the file again.");
        }
    }
}
