using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;

namespace EfficientAD.Tests.Imaging;

/// <summary>Writes PNG files of any kind, also wrong ones.</summary>
internal static class PngBuilder
{
    public static readonly byte[] Signature = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];

    /// <param name="rows">Filter byte and samples of every row.</param>
    public static byte[] Build(
        int width, int height, int bitDepth, int colourType, byte[] rows,
        byte[]? palette = null, bool interlaced = false) =>
    [
        .. Signature,
        .. Header(width, height, bitDepth, colourType, interlaced),
        .. palette is null ? [] : Chunk("PLTE", palette),
        .. Chunk("IDAT", Deflate(rows)),
        .. Chunk("IEND", []),
    ];

    public static byte[] Header(int width, int height, int bitDepth, int colourType, bool interlaced = false)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9], header[12]) = ((byte)bitDepth, (byte)colourType, (byte)(interlaced ? 1 : 0));
        return Chunk("IHDR", header);
    }

    public static byte[] Chunk(string type, byte[] content)
    {
        var chunk = new byte[12 + content.Length];
        BinaryPrimitives.WriteInt32BigEndian(chunk, content.Length);
        Encoding.ASCII.GetBytes(type).CopyTo(chunk, 4);
        content.CopyTo(chunk, 8);
        uint crc = Crc32.HashToUInt32(chunk.AsSpan(4, 4 + content.Length));
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(8 + content.Length), crc);
        return chunk;
    }

    public static byte[] Deflate(byte[] bytes)
    {
        var deflated = new MemoryStream();
        using (var stream = new ZLibStream(deflated, CompressionLevel.Optimal)) stream.Write(bytes);
        return deflated.ToArray();
    }
}
