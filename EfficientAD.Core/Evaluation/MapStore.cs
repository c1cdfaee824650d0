using System.Runtime.InteropServices;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Metrics;
using Microsoft.Win32.SafeHandles;

namespace EfficientAD.Evaluation;

/// <summary>Where a map and its masks lie in a <see cref="MapStore"/>.</summary>
internal sealed record StoredMap(long Offset, int Width, int Height, int MaskCount);

/// <summary>Maps and masks in a temporary file, so that a test set of any size needs the memory of one image. The file
/// takes 4 bytes a pixel and 1 more for each mask; it goes with this object or with the process.</summary>
internal sealed class MapStore : IDisposable
{
    private readonly string _path;
    private readonly SafeFileHandle _file;
    private long _length;

    public MapStore(string folder)
    {
        _path = Path.Combine(folder, $"efficientad-maps-{Guid.NewGuid():N}.tmp");
        _file = File.OpenHandle(
            _path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Delete, FileOptions.DeleteOnClose);
        // Elsewhere than on Windows an open file may lose its name: then nothing is left behind even by a crash.
        if (!OperatingSystem.IsWindows()) File.Delete(_path);
    }

    public StoredMap Add(AnomalyMap map, IReadOnlyList<GreyImage> masks)
    {
        var stored = new StoredMap(_length, map.Width, map.Height, masks.Count);
        try
        {
            Append(MemoryMarshal.AsBytes(map.Values.AsSpan()));
            foreach (GreyImage mask in masks) Append(mask.Pixels);
        }
        catch (IOException e)
        {
            throw new IOException(
                $"The maps of the evaluation are kept in {Path.GetDirectoryName(_path)}; after {_length} bytes: "
                + $"{e.Message} Free space there, or choose another folder.", e);
        }
        return stored;
    }

    public PixelSample Read(StoredMap stored)
    {
        var map = new AnomalyMap(stored.Width, stored.Height);
        long offset = Fill(stored.Offset, MemoryMarshal.AsBytes(map.Values.AsSpan()));
        var masks = new GreyImage[stored.MaskCount];
        for (int i = 0; i < masks.Length; i++)
        {
            masks[i] = new GreyImage(stored.Width, stored.Height, new byte[map.Values.Length]);
            offset = Fill(offset, masks[i].Pixels);
        }
        return new PixelSample(map, masks);
    }

    public void Dispose() => _file.Dispose();

    private void Append(ReadOnlySpan<byte> bytes)
    {
        RandomAccess.Write(_file, bytes, _length);
        _length += bytes.Length;
    }

    private long Fill(long offset, Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int read = RandomAccess.Read(_file, bytes, offset);
            if (read == 0)
                throw new EndOfStreamException($"The temporary file {_path} is shorter than what was written to it.");
            bytes = bytes[read..];
            offset += read;
        }
        return offset;
    }
}
