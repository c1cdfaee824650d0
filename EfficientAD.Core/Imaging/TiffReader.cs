using System.Runtime.InteropServices;
using BitMiracle.LibTiff.Classic;

namespace EfficientAD.Imaging;

/// <summary>Classic TIFF: <see cref="TiffDirectory"/> checks, LibTiff unpacks strips and tiles, this places their
/// pixels.</summary>
internal sealed class TiffReader
{
    private readonly ImageFile _file;
    private readonly TiffDirectory _directory;
    private readonly RgbImage _image;
    private readonly byte[] _block;

    // LibTiff writes messages to the console unless told otherwise, and only for the whole process.
    static TiffReader() => Tiff.SetErrorHandler(new TiffMessages());

    private TiffReader(ImageFile file, TiffDirectory directory)
    {
        (_file, _directory) = (file, directory);
        _image = new RgbImage(directory.Width, directory.Height);
        _block = new byte[directory.BlockStride * directory.BlockHeight];
    }

    public static RgbImage Read(ImageFile file)
    {
        var directory = new TiffDirectory(file);
        var reader = new TiffReader(file, directory);
        TiffMessages.Last = null;
        try
        {
            using var stream = new MemoryStream(file.Bytes, writable: false);
            // c: leave the strips as they are
            using Tiff? tiff = Tiff.ClientOpen(file.Name, "rc", stream, new TiffStream());
            if (tiff is null) throw file.Damaged($"the directory is damaged{TiffMessages.Reason}");
            reader.ReadBlocks(tiff);
        }
        catch (Exception e) when (e is not (OutOfMemoryException or ImageFormatException))
        {
            throw file.Damaged($"the pixel data is damaged ({e.Message.TrimEnd('.')})", e);
        }
        return reader._image;
    }

    private void ReadBlocks(Tiff tiff)
    {
        int block = 0;
        for (int plane = 0; plane < (_directory.Separate ? _directory.Samples : 1); plane++)
            for (int y = 0; y < _directory.Height; y += _directory.BlockHeight)
                for (int x = 0; x < _directory.Width; x += _directory.BlockWidth, block++)
                {
                    int rows = Math.Min(_directory.BlockHeight, _directory.Height - y);
                    int needed = (_directory.Tiled ? _directory.BlockHeight : rows) * _directory.BlockStride;
                    int read = _directory.Tiled
                        ? tiff.ReadEncodedTile(block, _block, 0, needed)
                        : tiff.ReadEncodedStrip(block, _block, 0, needed);
                    if (read != needed)
                        throw _file.Damaged($"block {block} does not unpack to {needed} bytes{TiffMessages.Reason}");
                    for (int row = 0; row < rows; row++)
                        PlaceRow(x, y + row, plane, _block.AsSpan(row * _directory.BlockStride));
                }
    }

    private void PlaceRow(int x, int y, int plane, ReadOnlySpan<byte> row)
    {
        int columns = Math.Min(_directory.BlockWidth, _directory.Width - x);
        int step = _directory.Separate ? 1 : _directory.Samples;
        Span<byte> rgb = _image.Pixels.AsSpan(3 * (y * _image.Width + x), 3 * columns);
        if (_directory.Photometric != 2)
        {
            if (plane == 0) for (int i = 0; i < columns; i++) Colour(Sample(row, i * step), rgb.Slice(3 * i, 3));
        }
        else if (!_directory.Separate)
            for (int i = 0; i < columns; i++)
                for (int c = 0; c < 3; c++) rgb[3 * i + c] = Scale(Sample(row, i * step + c));
        else if (plane < 3)
            for (int i = 0; i < columns; i++) rgb[3 * i + plane] = Scale(Sample(row, i));
    }

    /// <summary>Grey or a palette's colour.</summary>
    private void Colour(int sample, Span<byte> rgb)
    {
        if (_directory.Photometric != 3) rgb.Fill(Scale(_directory.Photometric == 0 ? Maximum - sample : sample));
        else for (int c = 0; c < 3; c++) rgb[c] = _directory.Palette((c << _directory.Bits) + sample);
    }

    private int Maximum => (1 << _directory.Bits) - 1;

    private byte Scale(int sample) => _directory.Bits == 8 ? (byte)sample : _file.Scale(sample, Maximum);

    /// <summary>Sample <paramref name="index"/> of a row; LibTiff gives 16 bits in the processor's byte
    /// order.</summary>
    private int Sample(ReadOnlySpan<byte> row, int index)
    {
        int bits = _directory.Bits;
        return bits switch
        {
            8 => row[index],
            16 => MemoryMarshal.Read<ushort>(row[(2 * index)..]),
            _ => row[index * bits / 8] >> (8 - bits - index * bits % 8) & Maximum,
        };
    }
}
