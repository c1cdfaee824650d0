namespace EfficientAD.Imaging;

/// <summary>The gate through which every image file comes. Files are untrusted: what is damaged, cut, too large or not
/// plainly supported is refused; no file can hang it, exhaust memory, or end as a picture with missing parts.</summary>
/// <remarks>
/// Magic bytes decide the format, the name does not: PNG, JPEG (baseline and progressive, 8 bits, grey or colour), TIFF
/// (classic, one page; uncompressed, LZW, Deflate or PackBits), BMP (uncompressed), PGM and PPM. Alpha is dropped,
/// palettes are looked up, samples of 16 bits become round(v / 257). Metadata is ignored, also the orientation in a
/// JPEG's EXIF and colour profiles: pixels come as they are stored. SECURITY.md lists the limits and what is checked.
/// Thread-safe.
/// </remarks>
public sealed class ImageReader
{
    private readonly ImageLimits _limits;
    private readonly ImageSharpDecoder _decoder;

    public ImageReader(ImageLimits limits)
    {
        _limits = limits;
        _decoder = new ImageSharpDecoder(limits);
    }

    /// <summary>With the default limits.</summary>
    public static ImageReader Default { get; } = new(new ImageLimits());

    /// <summary>Whether a path ends like the formats that are read; only the content decides in the end.</summary>
    public static bool HasImageExtension(string path) => Path.GetExtension(path).ToLowerInvariant()
        is ".png" or ".jpg" or ".jpeg" or ".tif" or ".tiff" or ".bmp" or ".pgm" or ".ppm" or ".pnm";

    /// <exception cref="ImageFormatException">The file was refused; the message says why.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public RgbImage Read(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Read(stream, path);
    }

    /// <param name="stream">Read from its position to its end.</param>
    /// <param name="name">For messages.</param>
    /// <exception cref="ImageFormatException">The content was refused; the message says why.</exception>
    public RgbImage Read(Stream stream, string name) => Decode(ReadAll(stream, name, forMask: false));

    /// <param name="bytes">The whole file.</param>
    /// <param name="name">For messages.</param>
    /// <exception cref="ImageFormatException">The content was refused; the message says why.</exception>
    public RgbImage Decode(byte[] bytes, string name) => Decode(new ImageFile(name, bytes, _limits, ForMask: false));

    /// <summary>Reads a ground-truth mask: not zero where the defect is. The grey values are kept (MVTec LOCO tells
    /// defects apart by them); colours count as their largest sample; 16-bit samples other than zero stay so.</summary>
    /// <exception cref="ImageFormatException">The file was refused; the message says why.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public GreyImage ReadMask(string path)
    {
        using FileStream stream = File.OpenRead(path);
        RgbImage image = Decode(ReadAll(stream, path, forMask: true));
        var mask = new GreyImage(image.Width, image.Height);
        for (int i = 0; i < mask.Pixels.Length; i++)
            mask.Pixels[i] = Math.Max(Math.Max(image.Pixels[3 * i], image.Pixels[3 * i + 1]), image.Pixels[3 * i + 2]);
        return mask;
    }

    private RgbImage Decode(ImageFile file) => file.Bytes switch
    {
        [0x89, (byte)'P', (byte)'N', (byte)'G', ..] => _decoder.DecodePng(file),
        [0xFF, 0xD8, 0xFF, ..] => _decoder.DecodeJpeg(file),
        [(byte)'I', (byte)'I', 42, 0, ..] or [(byte)'M', (byte)'M', 0, 42, ..] => TiffReader.Read(file),
        [(byte)'I', (byte)'I', 43, 0, ..] or [(byte)'M', (byte)'M', 0, 43, ..] =>
            throw file.Refuse("BigTIFF is not read. Save it as classic TIFF or PNG."),
        [(byte)'B', (byte)'M', ..] => BmpReader.Read(file),
        [(byte)'P', (byte)'2' or (byte)'3' or (byte)'5' or (byte)'6', ..] => NetpbmReader.Read(file),
        [] => throw file.Damaged($"the file is empty"),
        byte[] bytes => throw file.Refuse(
            $"the first bytes ({Convert.ToHexString(bytes.AsSpan(0, Math.Min(bytes.Length, 8)))}) are not those of "
            + "PNG, JPEG, TIFF, BMP, PGM or PPM. Convert it to one of these."),
    };

    /// <summary>At most one byte more than the limit is ever read.</summary>
    private ImageFile ReadAll(Stream stream, string name, bool forMask)
    {
        long expected = stream.CanSeek ? stream.Length - stream.Position : 1 << 16;
        if (expected > _limits.MaxFileBytes) throw TooLarge(name);
        var bytes = new byte[Math.Max(expected, 0)];
        int length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        for (int next; (next = stream.ReadByte()) >= 0;)  // longer than it said, or it did not say
        {
            if (length == _limits.MaxFileBytes) throw TooLarge(name);
            Array.Resize(ref bytes, (int)Math.Min(2L * length + 1, _limits.MaxFileBytes));
            bytes[length++] = (byte)next;
            length += stream.ReadAtLeast(bytes.AsSpan(length), bytes.Length - length, throwOnEndOfStream: false);
        }
        if (length < bytes.Length) Array.Resize(ref bytes, length);
        return new ImageFile(name, bytes, _limits, forMask);
    }

    private ImageFormatException TooLarge(string name) => new(
        $"{name}: the file is larger than the limit of {_limits.MaxFileBytes} bytes. Crop or shrink the picture, "
        + $"or raise {nameof(ImageLimits)}.{nameof(ImageLimits.MaxFileBytes)}.");
}
