using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace EfficientAD.Distillation;

/// <summary>Targets of views on the disk, so that a resumed run, a second run, or a view that comes again skips the
/// backbone.</summary>
/// <remarks>
/// One file per backbone and target size, "targets-KEY.bin": slots of equal size, each with a tag (XXH128 of the pixels
/// that the backbone saw), a checksum (XXH3) and the values as 16-bit floats. A slot only counts when both fit, so
/// nothing stale, torn or damaged is ever used: whatever changes the pixels, be it seed, view or image, makes it a miss
/// that is written anew. Slots that were never written take no room where the file system knows sparse files.
/// Thread-safe for different slots.
/// </remarks>
internal sealed class TargetCache : IDisposable
{
    private const int TagBytes = 16, ChecksumBytes = 8;

    private readonly SafeFileHandle _file;
    private readonly int _slotBytes;
    private readonly long _slots;

    /// <param name="folder">Created if it is missing.</param>
    /// <param name="fingerprint">Of the backbone.</param>
    /// <param name="values">Numbers in a target.</param>
    /// <param name="budget">Bytes that the file may grow to; 0 keeps nothing.</param>
    public TargetCache(string folder, string fingerprint, int values, long budget)
    {
        _slotBytes = TagBytes + ChecksumBytes + sizeof(ushort) * values;
        _slots = budget / _slotBytes;
        Directory.CreateDirectory(folder);
        UInt128 key = XxHash128.HashToUInt128(Encoding.UTF8.GetBytes($"{fingerprint}/{values}"));
        FilePath = Path.Combine(folder, $"targets-{key:x32}.bin");
        _file = File.OpenHandle(FilePath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
    }

    public string FilePath { get; }

    /// <summary>Reads a slot, if it holds the target of these pixels.</summary>
    public bool TryRead(long slot, ReadOnlySpan<byte> pixels, Span<Half> target)
    {
        if (slot >= _slots) return false;
        var record = new byte[_slotBytes];
        if (RandomAccess.Read(_file, record, slot * _slotBytes) != _slotBytes) return false;
        ReadOnlySpan<byte> values = record.AsSpan(TagBytes + ChecksumBytes);
        if (!record.AsSpan(0, TagBytes).SequenceEqual(XxHash128.Hash(pixels))
            || !record.AsSpan(TagBytes, ChecksumBytes).SequenceEqual(XxHash3.Hash(values)))
            return false;
        values.CopyTo(MemoryMarshal.AsBytes(target));
        return true;
    }

    /// <summary>Fills a slot, if it lies within the budget.</summary>
    /// <exception cref="IOException">The disk is full.</exception>
    public void Write(long slot, ReadOnlySpan<byte> pixels, ReadOnlySpan<Half> target)
    {
        if (slot >= _slots) return;
        var record = new byte[_slotBytes];
        Span<byte> values = record.AsSpan(TagBytes + ChecksumBytes);
        MemoryMarshal.AsBytes(target).CopyTo(values);
        XxHash128.Hash(pixels, record);
        XxHash3.Hash(values, record.AsSpan(TagBytes));
        RandomAccess.Write(_file, record, slot * _slotBytes);
    }

    public void Dispose() => _file.Dispose();
}
