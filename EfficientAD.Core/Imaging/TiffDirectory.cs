using System.Buffers.Binary;

namespace EfficientAD.Imaging;

/// <summary>The one directory of a classic TIFF file, read and checked before LibTiff sees the file: all its values and
/// all pixel data lie inside the file, sizes are within the limits, and the picture is of a kind that is
/// read.</summary>
internal sealed class TiffDirectory
{
    private const int MaxEntries = 256;
    private const int MaxSamples = 5;

    // Bytes of the field types 1 to 12: byte, text, short, long, rational, signed byte, undefined, signed short, ...
    private static readonly int[] TypeSizes = [1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8];

    private readonly ImageFile _file;
    private readonly bool _littleEndian;
    private readonly Dictionary<TiffField, (int Type, long Count, int At)> _entries = [];

    public TiffDirectory(ImageFile file)
    {
        _file = file;
        _littleEndian = file.Bytes[0] == 'I';
        ReadEntries();
        (Width, Height) = (ToInt(One(TiffField.Width)), ToInt(One(TiffField.Height)));
        file.CheckSize(Width, Height);
        Samples = (int)One(TiffField.SamplesPerPixel, 1, atMost: MaxSamples);
        Bits = (int)One(TiffField.BitsPerSample, 1, atMost: 64);
        Photometric = (int)One(TiffField.Photometric, atMost: ushort.MaxValue);
        Separate = One(TiffField.PlanarConfiguration, 1, atMost: 2) == 2;
        CheckKind();
        Tiled = _entries.ContainsKey(TiffField.TileWidth);
        BlockWidth = Tiled ? ToInt(One(TiffField.TileWidth)) : Width;
        BlockHeight = ToInt(Tiled
            ? One(TiffField.TileLength)
            : Math.Min(One(TiffField.RowsPerStrip, uint.MaxValue), Height));
        CheckBlocks();
    }

    public int Width { get; }

    public int Height { get; }

    public int Samples { get; }

    /// <summary>Bits of a sample: 1, 2, 4, 8 or 16.</summary>
    public int Bits { get; }

    /// <summary>0 white is zero, 1 black is zero, 2 RGB, 3 palette.</summary>
    public int Photometric { get; }

    /// <summary>Every sample has its own plane of blocks.</summary>
    public bool Separate { get; }

    public bool Tiled { get; }

    /// <summary>Size of a strip or tile.</summary>
    public int BlockWidth { get; }

    /// <inheritdoc cref="BlockWidth"/>
    public int BlockHeight { get; }

    /// <summary>Bytes of a decoded row of a block.</summary>
    public int BlockStride => (int)(((long)BlockWidth * (Separate ? 1 : Samples) * Bits + 7) / 8);

    /// <summary>Entry <paramref name="index"/> of the palette: all reds, all greens, all blues. Writers spread 8 bits
    /// to 16 as 256 v or 257 v; the high byte is v for both.</summary>
    public byte Palette(int index) => (byte)(Value(TiffField.ColourMap, index) >> 8);

    private void ReadEntries()
    {
        long start = UInt32(4);
        if (start < 8 || start + 2 > _file.Bytes.Length) throw _file.Cut("the directory", start, 2);
        int count = UInt16((int)start);
        if (count is 0 or > MaxEntries)
            throw _file.Damaged($"the directory has {count} entries, not 1 to {MaxEntries}");
        long end = start + 2 + 12 * count;
        if (end + 4 > _file.Bytes.Length) throw _file.Cut("the directory", start, 6 + 12 * count);
        for (int at = (int)start + 2; at < end; at += 12)
        {
            int type = UInt16(at + 2);
            if (type < 1 || type > TypeSizes.Length)
                throw _file.Damaged($"field {UInt16(at)} is of the unknown type {type}");
            long valueCount = UInt32(at + 4), bytes = valueCount * TypeSizes[type - 1];
            long valueAt = bytes > 4 ? UInt32(at + 8) : at + 8;
            if (valueAt + bytes > _file.Bytes.Length) throw _file.Cut($"field {UInt16(at)}", valueAt, bytes);
            if (!_entries.TryAdd((TiffField)UInt16(at), (type, valueCount, (int)valueAt)))
                throw _file.Damaged($"field {UInt16(at)} appears twice");
        }
        if (UInt32((int)end) != 0)
            throw _file.Refuse("the file has more than one page. Save the page to be read as a file of its own.");
    }

    private void CheckKind()
    {
        bool known = (Photometric, Bits) is (0 or 1, 1 or 2 or 4 or 8 or 16) or (2, 8 or 16) or (3, 1 or 2 or 4 or 8);
        if (!known || Photometric == 2 && Samples < 3)
            throw _file.Refuse($"TIFF with photometric interpretation {Photometric}, {Samples} samples of {Bits} bits "
                + "is not read. Save it as 8-bit RGB or grey.");
        for (int i = 1; i < Samples; i++)
            if (Value(TiffField.BitsPerSample, i) != Bits)
                throw _file.Refuse("the samples have different depths. Save it as 8-bit RGB.");
        if (One(TiffField.SampleFormat, 1) != 1)
            throw _file.Refuse("the samples are signed or floating point. Save it as 8-bit or 16-bit unsigned.");
        long compression = One(TiffField.Compression, 1);
        if (compression is not (1 or 5 or 8 or 32773 or 32946))
            throw _file.Refuse($"TIFF compression {compression} is not read. Save it uncompressed or with LZW.");
        if (Photometric == 3) Value(TiffField.ColourMap, (3 << Bits) - 1);
    }

    /// <summary>The blocks must cover the picture, lie in the file, and be of a sensible size.</summary>
    private void CheckBlocks()
    {
        if (Tiled && (BlockWidth % 16 != 0 || BlockHeight % 16 != 0) || BlockWidth < 1 || BlockHeight < 1)
            throw _file.Damaged($"its {(Tiled ? "tiles" : "strips")} are {BlockWidth} x {BlockHeight}");
        _file.CheckSize(BlockWidth, BlockHeight);
        long decoded = ((long)BlockWidth * (Separate ? 1 : Samples) * Bits + 7) / 8 * BlockHeight;
        if (decoded > Math.Min(8 * _file.Limits.MaxPixels, Array.MaxLength))
            throw _file.Refuse($"a strip or tile unpacks to {decoded} bytes. Save it in strips of fewer rows.");
        long across = (Width + BlockWidth - 1L) / BlockWidth, down = (Height + BlockHeight - 1L) / BlockHeight;
        long blocks = across * down * (Separate ? Samples : 1);
        TiffField offsets = Tiled ? TiffField.TileOffsets : TiffField.StripOffsets;
        TiffField counts = Tiled ? TiffField.TileByteCounts : TiffField.StripByteCounts;
        for (int i = 0; i < blocks; i++)
        {
            long at = Value(offsets, i), bytes = Value(counts, i), unpacked = RowsOf(i, across, down) * BlockStride;
            if (at + bytes > _file.Bytes.Length) throw _file.Cut($"block {i} of {blocks}", at, bytes);
            if (One(TiffField.Compression, 1) == 1 && bytes < unpacked)
                throw _file.Damaged($"block {i} of {blocks} has {bytes} bytes, not {unpacked}");
        }
    }

    private long RowsOf(int block, long across, long down)
    {
        long y = block / across % down;
        return Tiled ? BlockHeight : Math.Min(BlockHeight, Height - y * BlockHeight);
    }

    private long One(TiffField field, long? missing = null, long atMost = uint.MaxValue)
    {
        long value = missing is long absent && !_entries.ContainsKey(field) ? absent : Value(field, 0);
        return value <= atMost ? value : throw _file.Damaged($"field {field} is {value}, above {atMost}");
    }

    private long Value(TiffField field, int index)
    {
        if (!_entries.TryGetValue(field, out var entry) || index >= entry.Count)
            throw _file.Damaged($"field {field} is missing or too short");
        return entry.Type switch
        {
            1 => _file.Bytes[entry.At + index],
            3 => UInt16(entry.At + 2 * index),
            4 => UInt32(entry.At + 4 * index),
            _ => throw _file.Damaged($"field {field} is not an unsigned integer"),
        };
    }

    private int ToInt(long value) =>
        value <= int.MaxValue ? (int)value : throw _file.Damaged($"a side of {value} is too large");

    private int UInt16(int at) => _littleEndian
        ? BinaryPrimitives.ReadUInt16LittleEndian(_file.Bytes.AsSpan(at))
        : BinaryPrimitives.ReadUInt16BigEndian(_file.Bytes.AsSpan(at));

    private long UInt32(int at)
    {
        if (at + 4 > _file.Bytes.Length) throw _file.Cut("a number", at, 4);
        return _littleEndian
            ? BinaryPrimitives.ReadUInt32LittleEndian(_file.Bytes.AsSpan(at))
            : BinaryPrimitives.ReadUInt32BigEndian(_file.Bytes.AsSpan(at));
    }
}
