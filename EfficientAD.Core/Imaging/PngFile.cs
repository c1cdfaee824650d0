using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace EfficientAD.Imaging;

/// <summary>What of a PNG file holds pixels, after every chunk up to IEND was found whole and with the right
/// CRC.</summary>
internal sealed class PngFile
{
    private static readonly byte[] Signature = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];

    private readonly byte[] _header;
    private byte[] _palette = [];
    private (int Start, int Length) _data;

    private PngFile(ImageFile file, ReadOnlySpan<byte> header)
    {
        if (header.Length != 13) throw file.Damaged($"IHDR holds {header.Length} bytes, not 13");
        _header = header.ToArray();
        long width = BinaryPrimitives.ReadUInt32BigEndian(header);
        long height = BinaryPrimitives.ReadUInt32BigEndian(header[4..]);
        file.CheckSize(width, height);
        (Width, Height) = ((int)width, (int)height);
        (BitDepth, ColourType, Interlaced) = (header[8], header[9], header[12] == 1);
        bool known = (ColourType, BitDepth)
            is (0, 1 or 2 or 4 or 8 or 16) or (3, 1 or 2 or 4 or 8) or (2 or 4 or 6, 8 or 16);
        if (!known || header[10] != 0 || header[11] != 0 || header[12] > 1)
            throw file.Damaged($"PNG does not define IHDR's colour type {ColourType}, bit depth {BitDepth}, "
                + $"compression {header[10]}, filter {header[11]}, interlace {header[12]}");
        if (Interlaced && Math.Min(Width, Height) < 5)
            throw file.Refuse($"an interlaced picture of {Width} x {Height} (a side below 5) is not read. "
                + "Save it without interlacing.");
    }

    public int Width { get; }

    public int Height { get; }

    public int BitDepth { get; }

    public int ColourType { get; }

    public bool Interlaced { get; }

    /// <summary>Bits of one pixel in the filtered rows.</summary>
    public int BitsPerPixel => BitDepth * ColourType switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 };

    /// <summary>A PNG of nothing but IHDR, PLTE, one IDAT and IEND, so that no other chunk reaches a decoder. The
    /// palette is filled up with black, so that every index exists.</summary>
    public byte[] PixelsOnly { get; private set; } = [];

    /// <summary>The zlib stream: the content of all IDAT chunks.</summary>
    public Stream OpenData() => new MemoryStream(PixelsOnly, _data.Start, _data.Length, writable: false);

    public static PngFile Parse(ImageFile file)
    {
        if (!file.Bytes.AsSpan().StartsWith(Signature))
            throw file.Damaged($"the PNG signature is damaged");
        PngFile? png = null;
        var data = new List<Range>();
        bool dataEnded = false;
        for (int at = Signature.Length; ;)
        {
            Range range = ReadChunk(file, ref at, out string type);
            ReadOnlySpan<byte> content = file.Bytes.AsSpan(range);
            if (png is null && type != "IHDR") throw file.Damaged($"the first chunk is {type}, not IHDR");
            dataEnded |= type != "IDAT" && data.Count > 0;
            switch (type)
            {
                case "IHDR" when png is null:
                    png = new PngFile(file, content);
                    break;
                case "PLTE" when png!._palette.Length == 0 && data.Count == 0:
                    png._palette = content.ToArray();
                    break;
                case "IDAT" when !dataEnded:
                    data.Add(range);
                    break;
                case "IEND":
                    png!.CheckPalette(file);
                    png.Pack([.. data.Select(part => file.Bytes.AsMemory(part))]);
                    return png;
                case "IHDR" or "PLTE" or "IDAT":
                    throw file.Damaged($"a second or misplaced {type} chunk");
                default:
                    if (char.IsAsciiLetterUpper(type[0]))
                        throw file.Refuse($"the critical chunk {type} is not known. Save it as plain PNG.");
                    break;  // ancillary: text, profiles, time; no pixels
            }
        }
    }

    /// <returns>Where the chunk's content is.</returns>
    private static Range ReadChunk(ImageFile file, ref int at, out string type)
    {
        ReadOnlySpan<byte> rest = file.Bytes.AsSpan(at);
        if (rest.Length < 12) throw file.Cut("a chunk", at, 12);
        long length = BinaryPrimitives.ReadUInt32BigEndian(rest);
        type = Encoding.Latin1.GetString(rest.Slice(4, 4));
        if (!type.All(char.IsAsciiLetter)) throw file.Damaged($"no chunk begins at byte {at}");
        if (length > rest.Length - 12) throw file.Cut($"chunk {type}", at, length + 12);
        uint stored = BinaryPrimitives.ReadUInt32BigEndian(rest[(int)(8 + length)..]);
        uint computed = Crc32.HashToUInt32(rest.Slice(4, (int)length + 4));
        if (stored != computed)
            throw file.Damaged($"chunk {type} at byte {at} is damaged: its CRC is {computed:x8}, not {stored:x8}");
        at += (int)length + 12;
        return (at - 4 - (int)length)..(at - 4);
    }

    private void CheckPalette(ImageFile file)
    {
        if (ColourType == 3 && (_palette.Length == 0 || _palette.Length % 3 != 0 || _palette.Length > 3 << BitDepth))
            throw file.Damaged($"the palette holds {_palette.Length} bytes, not 3 to {3 << BitDepth} in threes");
    }

    private void Pack(ReadOnlyMemory<byte>[] data)
    {
        byte[] palette = ColourType == 3 ? new byte[3 << BitDepth] : [];
        _palette.CopyTo(palette, 0);
        int length = data.Sum(part => part.Length);
        int paletteChunk = palette.Length > 0 ? 12 + palette.Length : 0;
        PixelsOnly = new byte[Signature.Length + 12 + _header.Length + paletteChunk + 12 + length + 12];
        var png = new MemoryStream(PixelsOnly);
        png.Write(Signature);
        WriteChunk(png, "IHDR", [_header]);
        if (palette.Length > 0) WriteChunk(png, "PLTE", [palette]);
        _data = ((int)png.Position + 8, length);
        WriteChunk(png, "IDAT", data);
        WriteChunk(png, "IEND", []);
    }

    private static void WriteChunk(MemoryStream png, string type, ReadOnlyMemory<byte>[] content)
    {
        byte[] name = Encoding.Latin1.GetBytes(type);
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, content.Sum(part => part.Length));
        png.Write(number);
        png.Write(name);
        var crc = new Crc32();
        crc.Append(name);
        foreach (ReadOnlyMemory<byte> part in content)
        {
            png.Write(part.Span);
            crc.Append(part.Span);
        }
        BinaryPrimitives.WriteUInt32BigEndian(number, crc.GetCurrentHashAsUInt32());
        png.Write(number);
    }
}
