using System.Buffers.Binary;

namespace EfficientAD.Imaging;

/// <summary>Uncompressed BMP: palettes of 1, 4 and 8 bits, 24 and 32 bits; rows from the bottom or from the
/// top.</summary>
internal ref struct BmpReader
{
    private const int FileHeader = 14;
    private const string SaveAs = "Save it as 24-bit BMP or PNG.";

    private readonly ImageFile _file;
    private readonly ReadOnlySpan<byte> _bytes;
    private int _width, _height, _bits, _pixels;
    private bool _topDown, _redFirst;
    private ReadOnlySpan<byte> _palette;  // 4 bytes a colour: blue, green, red, unused

    private BmpReader(ImageFile file)
    {
        _file = file;
        _bytes = file.Bytes;
    }

    public static RgbImage Read(ImageFile file)
    {
        var reader = new BmpReader(file);
        reader.ReadHeader();
        return reader.ReadPixels();
    }

    private void ReadHeader()
    {
        int headerLength = Int32(FileHeader);
        if (headerLength is not (40 or 52 or 56 or 64 or 108 or 124))
            throw _file.Refuse($"a BMP header of {headerLength} bytes is not read. {SaveAs}");
        if (FileHeader + headerLength > _bytes.Length) throw _file.Cut("the header", FileHeader, headerLength);
        uint fileLength = (uint)Int32(2);
        if (fileLength > _bytes.Length)
            throw _file.Damaged($"the file is cut: it should hold {fileLength} bytes but has {_bytes.Length}");
        long height = Int32(22);
        (_topDown, _bits) = (height < 0, BinaryPrimitives.ReadUInt16LittleEndian(_bytes[28..]));
        _file.CheckSize(Int32(18), Math.Abs(height));
        (_width, _height, _pixels) = (Int32(18), (int)Math.Abs(height), Int32(10));

        int compression = Int32(30);
        bool masks = _bits == 32 && compression is 3 or 6;
        if (_bits is not (1 or 4 or 8 or 24 or 32) || compression != 0 && !masks)
            throw _file.Refuse($"BMP with {_bits} bits and compression {compression} is not read. {SaveAs}");
        int end = FileHeader + headerLength;
        if (masks) end = Math.Max(end, ReadMasks());
        if (_bits <= 8)
        {
            int colours = Int32(46) == 0 ? 1 << _bits : Int32(46);
            if (colours < 1 || colours > 1 << _bits)
                throw _file.Damaged($"the palette has {colours} colours, not 1 to {1 << _bits}");
            if (end + 4 * colours > _bytes.Length) throw _file.Cut("the palette", end, 4 * colours);
            _palette = _bytes.Slice(end, 4 * colours);
            end += 4 * colours;
        }
        if (_pixels < end) throw _file.Damaged($"the pixels begin at byte {_pixels}, inside the header of {end} bytes");
    }

    /// <summary>Accepts the two usual orders of 8-bit samples.</summary>
    private int ReadMasks()
    {
        if (_bytes.Length < FileHeader + 52) throw _file.Cut("the colour masks", FileHeader + 40, 12);
        var masks = (Int32(54), Int32(58), Int32(62));
        _redFirst = masks == (0xFF, 0xFF00, 0xFF0000);
        if (!_redFirst && masks != (0xFF0000, 0xFF00, 0xFF))
            throw _file.Refuse($"colour masks {masks.Item1:x} {masks.Item2:x} {masks.Item3:x} are not read. {SaveAs}");
        return FileHeader + 52;
    }

    private readonly RgbImage ReadPixels()
    {
        long stride = ((long)_width * _bits + 31) / 32 * 4;
        if (_pixels + stride * _height > _bytes.Length) throw _file.Cut("the pixels", _pixels, stride * _height);
        var image = new RgbImage(_width, _height);
        for (int y = 0; y < _height; y++)
        {
            ReadOnlySpan<byte> row = _bytes[(int)(_pixels + stride * (_topDown ? y : _height - 1 - y))..];
            Span<byte> rgb = image.Pixels.AsSpan(3 * _width * y, 3 * _width);
            for (int x = 0; x < _width; x++)
            {
                ReadOnlySpan<byte> pixel = _bits > 8 ? row.Slice(x * _bits / 8, 3) : Colour(row, x);
                (rgb[3 * x], rgb[3 * x + 1], rgb[3 * x + 2]) =
                    _redFirst ? (pixel[0], pixel[1], pixel[2]) : (pixel[2], pixel[1], pixel[0]);
            }
        }
        return image;
    }

    private readonly ReadOnlySpan<byte> Colour(ReadOnlySpan<byte> row, int x)
    {
        int bit = x * _bits;
        int index = row[bit / 8] >> (8 - _bits - bit % 8) & ((1 << _bits) - 1);
        if (4 * index >= _palette.Length)
            throw _file.Damaged($"a pixel has colour {index} but the palette has {_palette.Length / 4}");
        return _palette.Slice(4 * index, 3);
    }

    private readonly int Int32(int at) => at + 4 <= _bytes.Length
        ? BinaryPrimitives.ReadInt32LittleEndian(_bytes[at..])
        : throw _file.Cut("the header", at, 4);
}
