using System.Buffers.Binary;
using System.Runtime.InteropServices;
using EfficientAD.Detection;
using EfficientAD.Models;

namespace EfficientAD.Imaging;

/// <summary>Anomaly maps as TIFF of 32-bit floats, as the official evaluation scripts of MVTec AD and MVTec LOCO read
/// them: one sample a pixel, uncompressed, little-endian, one strip.</summary>
public static class FloatTiff
{
    private const int HeaderBytes = 8, EntryBytes = 12;
    private const ushort Short = 3, Long = 4;

    /// <summary>Writes the map whole or not at all, replacing what was there.</summary>
    /// <exception cref="IOException">The folder is missing, the disk is full, and the like.</exception>
    public static void Write(string path, AnomalyMap map) => AtomicFile.Write(path, stream => Write(stream, map));

    /// <exception cref="ArgumentException">The map takes 4 GiB or more, which classic TIFF cannot hold.</exception>
    public static void Write(Stream stream, AnomalyMap map)
    {
        (TiffField Field, ushort Type, long Value)[] fields =
        [
            (TiffField.Width, Long, map.Width),
            (TiffField.Height, Long, map.Height),
            (TiffField.BitsPerSample, Short, 32),
            (TiffField.Compression, Short, 1),
            (TiffField.Photometric, Short, 1),     // black is zero
            (TiffField.StripOffsets, Long, 0),     // known below
            (TiffField.SamplesPerPixel, Short, 1),
            (TiffField.RowsPerStrip, Long, map.Height),
            (TiffField.StripByteCounts, Long, 4L * map.Values.Length),
            (TiffField.SampleFormat, Short, 3),    // IEEE floating point
        ];
        var head = new byte[HeaderBytes + 2 + EntryBytes * fields.Length + 4];
        if (head.Length + 4L * map.Values.Length > uint.MaxValue)
            throw new ArgumentException(
                $"A map of {map.Width} x {map.Height} does not fit into a TIFF of 4 GiB.",
                nameof(map));

        ReadOnlySpan<byte> start = [(byte)'I', (byte)'I', 42, 0, HeaderBytes, 0, 0, 0, (byte)fields.Length, 0];
        start.CopyTo(head);
        Span<byte> rest = head.AsSpan(start.Length);
        foreach (var (field, type, known) in fields)
        {
            uint value = field == TiffField.StripOffsets ? (uint)head.Length : (uint)known;
            BinaryPrimitives.WriteUInt16LittleEndian(rest, (ushort)field);
            BinaryPrimitives.WriteUInt16LittleEndian(rest[2..], type);
            BinaryPrimitives.WriteUInt32LittleEndian(rest[4..], 1);
            BinaryPrimitives.WriteUInt32LittleEndian(rest[8..], value);
            rest = rest[EntryBytes..];
        }
        stream.Write(head);
        for (int y = 0; y < map.Height; y++)
            stream.Write(MemoryMarshal.AsBytes(map.Values.AsSpan(y * map.Width, map.Width)));
    }
}
