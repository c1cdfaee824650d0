using System.Buffers.Binary;
using EfficientAD.Imaging;

namespace EfficientAD.Tests.Imaging;

/// <summary>Writes classic TIFF files of any kind, also wrong ones: header, pixel blocks, long values,
/// directory.</summary>
internal sealed class TiffBuilder(bool bigEndian = false)
{
    private const ushort Short = 3, Long = 4;

    private readonly List<(int Field, ushort Type, long[] Values)> _entries = [];

    public TiffBuilder With(TiffField field, params long[] values) => With((int)field, values);

    public TiffBuilder With(int field, params long[] values)
    {
        _entries.RemoveAll(entry => entry.Field == field);
        return WithAnother(field, values);
    }

    /// <summary>Adds a field even if it is there already.</summary>
    public TiffBuilder WithAnother(int field, params long[] values)
    {
        bool isLong = field == (int)TiffField.TileOffsets || values.Any(value => value > ushort.MaxValue);
        _entries.Add((field, isLong ? Long : Short, values));
        return this;
    }

    public static TiffBuilder Grey(int width, int height, int bits = 8, bool bigEndian = false) =>
        new TiffBuilder(bigEndian)
        .With(TiffField.Width, width).With(TiffField.Height, height).With(TiffField.BitsPerSample, bits)
        .With(TiffField.Compression, 1).With(TiffField.Photometric, 1).With(TiffField.SamplesPerPixel, 1);

    /// <param name="blocks">Strips, or tiles where the file is tiled, in their order.</param>
    /// <param name="next">Offset of a next page.</param>
    public byte[] Build(byte[][] blocks, uint next = 0)
    {
        bool tiled = _entries.Any(entry => entry.Field == (int)TiffField.TileWidth);
        var offsets = new long[blocks.Length];
        var body = new List<byte>(new byte[8]);
        for (int i = 0; i < blocks.Length; i++)
        {
            offsets[i] = body.Count;
            body.AddRange(blocks[i]);
        }
        AddIfMissing(tiled ? TiffField.TileOffsets : TiffField.StripOffsets, offsets);
        long[] counts = [.. blocks.Select(block => (long)block.Length)];
        AddIfMissing(tiled ? TiffField.TileByteCounts : TiffField.StripByteCounts, counts);

        var directory = new List<byte>(Number(_entries.Count, 2));
        foreach (var (field, type, values) in _entries.OrderBy(entry => entry.Field))
        {
            byte[] bytes = [.. values.SelectMany(value => Number(value, type == Long ? 4 : 2))];
            directory.AddRange([.. Number(field, 2), .. Number(type, 2), .. Number(values.Length, 4)]);
            if (bytes.Length > 4)
            {
                directory.AddRange(Number(body.Count, 4));
                body.AddRange(bytes);
            }
            else directory.AddRange([.. bytes, .. new byte[4 - bytes.Length]]);
        }
        byte[] file = [.. body, .. directory, .. Number(next, 4)];
        byte[] header = bigEndian ? [(byte)'M', (byte)'M', 0, 42] : [(byte)'I', (byte)'I', 42, 0];
        header.CopyTo(file, 0);
        Number(body.Count, 4).CopyTo(file, 4);
        return file;
    }

    private void AddIfMissing(TiffField field, long[] values)
    {
        if (_entries.All(entry => entry.Field != (int)field)) With(field, values);
    }

    private byte[] Number(long value, int bytes)
    {
        var little = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(little, value);
        return bigEndian ? [.. little[..bytes].Reverse()] : little[..bytes];
    }
}
