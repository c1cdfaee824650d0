using System.Buffers.Binary;

namespace EfficientAD.Imaging;

/// <summary>What of a JPEG file holds pixels, after every segment up to EOI was found whole and every scan
/// complete.</summary>
/// <remarks>Baseline, extended and progressive Huffman JPEG of 8 bits with 1 or 3 components. What follows EOI is
/// ignored, as cameras append previews and padding there.</remarks>
internal sealed class JpegFile
{
    // Encoders write about ten; each costs a decoder a pass over the whole picture.
    private const int MaxScans = 100;

    // Encoders write at most eight a scan; each costs time to build.
    private const int MaxTables = 8 * MaxScans;

    private readonly ImageFile _file;
    private readonly List<Range> _kept = [];
    private readonly JpegHuffmanTable?[] _dcTables = new JpegHuffmanTable?[4], _acTables = new JpegHuffmanTable?[4];
    private JpegFrame? _frame;
    private int _restartInterval;
    private int _scans;
    private int _tables;

    private JpegFile(ImageFile file) => _file = file;

    public int Width => _frame!.Width;

    public int Height => _frame!.Height;

    public static JpegFile Parse(ImageFile file)
    {
        var jpeg = new JpegFile(file);
        for (int at = 2; ;)
        {
            int start = at;
            byte marker = jpeg.ReadMarker(ref at);
            if (marker == 0xD9) break;
            if (marker is < 0xC0 or >= 0xD0 and <= 0xD8)
                throw file.Damaged($"marker {marker:x2} at byte {start} does not belong there");
            int end = jpeg.ReadSegment(marker, at);
            if (IsKept(marker, file.Bytes.AsSpan(at + 2, end - at - 2))) jpeg._kept.Add(start..end);
            at = end;
        }
        if (jpeg._frame is null || jpeg._scans == 0) throw file.Damaged($"the file ends without a picture");
        jpeg._frame.CheckComplete(file);
        return jpeg;
    }

    /// <summary>A JPEG of nothing but frame, tables, scans and the markers that tell the colour space.</summary>
    public byte[] WithPixelsOnly()
    {
        var jpeg = new byte[4 + _kept.Sum(range => range.GetOffsetAndLength(_file.Bytes.Length).Length)];
        var stream = new MemoryStream(jpeg);
        stream.Write([0xFF, 0xD8]);
        foreach (Range range in _kept) stream.Write(_file.Bytes.AsSpan(range));
        stream.Write([0xFF, 0xD9]);
        return jpeg;
    }

    private static bool IsKept(byte marker, ReadOnlySpan<byte> content) => marker switch
    {
        0xE0 => content.StartsWith("JFIF\0"u8),
        0xEE => content.StartsWith("Adobe"u8),
        _ => marker is < 0xE0,
    };

    /// <summary>Moves past the marker at <paramref name="at"/> and its fill bytes.</summary>
    private byte ReadMarker(ref int at)
    {
        byte[] bytes = _file.Bytes;
        int start = at;
        if (at < bytes.Length && bytes[at] != 0xFF)
            throw _file.Damaged($"no marker at byte {at} but {bytes[at]:x2}");
        while (at < bytes.Length && bytes[at] == 0xFF) at++;
        if (at >= bytes.Length) throw _file.Cut("a marker", start, 2);
        return bytes[at++];
    }

    /// <summary>Reads the segment whose length field is at <paramref name="at"/> and gives its end; a scan's data
    /// belong to it.</summary>
    private int ReadSegment(byte marker, int at)
    {
        ReadOnlySpan<byte> rest = _file.Bytes.AsSpan(at);
        if (rest.Length < 2) throw _file.Cut($"segment {marker:x2}", at, 2);
        int length = BinaryPrimitives.ReadUInt16BigEndian(rest);
        if (length < 2) throw Damaged(marker, at);
        if (length > rest.Length) throw _file.Cut($"segment {marker:x2}", at, length);
        ReadOnlySpan<byte> content = rest[2..length];
        switch (marker)
        {
            case 0xC0 or 0xC1 or 0xC2:
                if (_frame is not null) throw _file.Damaged($"a second frame at byte {at}");
                _frame = new JpegFrame(_file, content, progressive: marker == 0xC2);
                break;
            case 0xC4:
                ReadHuffmanTables(content, at);
                break;
            case 0xDB or 0xFE or (>= 0xE0 and <= 0xEF):
                break;
            case 0xDD:
                if (content.Length != 2) throw Damaged(marker, at);
                _restartInterval = BinaryPrimitives.ReadUInt16BigEndian(content);
                break;
            case 0xDA:
                return ReadScan(content, at, at + length);
            default:
                throw _file.Refuse($"segment {marker:x2} belongs to a kind of JPEG that is not read (lossless, "
                    + "arithmetic, hierarchical). Save it as baseline JPEG or PNG.");
        }
        return at + length;
    }

    private int ReadScan(ReadOnlySpan<byte> header, int at, int dataStart)
    {
        if (_frame is null) throw _file.Damaged($"a scan at byte {at} before the frame");
        if (++_scans > MaxScans) throw _file.Refuse($"more than {MaxScans} scans. Save it as baseline JPEG or PNG.");
        if (header.Length < 4 || header.Length != 4 + 2 * header[0]) throw Damaged(0xDA, at);
        var scan = new JpegScan(_file, _frame, header, _dcTables, _acTables, _restartInterval);
        return scan.Check(dataStart);
    }

    private void ReadHuffmanTables(ReadOnlySpan<byte> content, int at)
    {
        while (!content.IsEmpty)
        {
            int symbols = 0;
            if (content.Length >= 17) foreach (byte count in content.Slice(1, 16)) symbols += count;
            if (content.Length < 17 + symbols || (content[0] & 0xEC) != 0) throw Damaged(0xC4, at);
            if (++_tables > MaxTables)
                throw _file.Refuse($"more than {MaxTables} Huffman tables. Save it as baseline JPEG or PNG.");
            var tables = content[0] >> 4 == 0 ? _dcTables : _acTables;
            tables[content[0] & 3] = JpegHuffmanTable.Create(content.Slice(1, 16), content.Slice(17, symbols))
                ?? throw Damaged(0xC4, at);
            content = content[(17 + symbols)..];
        }
    }

    private ImageFormatException Damaged(byte marker, int at) =>
        _file.Damaged($"segment {marker:x2} at byte {at} is damaged");
}
