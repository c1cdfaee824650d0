using System.IO.MemoryMappedFiles;

namespace EfficientAD.Models;

/// <summary>A file's bytes in memory, read from the disk as they are touched.</summary>
/// <remarks>It stays mapped until it is disposed: a finaliser that runs early cannot leave a span dangling.</remarks>
internal sealed unsafe class MappedFile : IDisposable
{
    private readonly MemoryMappedViewAccessor _accessor;
    private bool _isDisposed;

    private MappedFile(MemoryMappedViewAccessor accessor, long length)
    {
        (_accessor, Length) = (accessor, length);
        byte* pointer = null;
        accessor.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
        Pointer = pointer + accessor.PointerOffset;
    }

    public byte* Pointer { get; }

    public long Length { get; }

    /// <exception cref="ModelFormatException">The file is empty.</exception>
    /// <exception cref="IOException">The file is missing, is a folder, or cannot be read.</exception>
    public static MappedFile Open(string path)
    {
        // Opening one would be refused as a lack of rights.
        if (Directory.Exists(path)) throw new IOException($"{path} is a folder; name a file.");
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        long length = stream.Length;
        if (length == 0) throw new ModelFormatException($"{path} holds no weights: it is empty.");
        using var map = MemoryMappedFile.CreateFromFile(
            stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        return new MappedFile(map.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read), length);
    }

    /// <summary>Part of the file; the range must lie inside.</summary>
    public ReadOnlySpan<byte> Slice(long offset, int length)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (offset < 0 || offset > Length - length)
            throw new ArgumentOutOfRangeException(
                nameof(offset), offset, $"{length} bytes from there exceed the file's {Length}.");
        return new ReadOnlySpan<byte>(Pointer + offset, length);
    }

    /// <summary>The file's first bytes, at most <paramref name="length"/>.</summary>
    public ReadOnlySpan<byte> Start(int length) => Slice(0, (int)Math.Min(length, Length));

    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        _accessor.SafeMemoryMappedViewHandle.ReleasePointer();
        _accessor.Dispose();
    }
}
