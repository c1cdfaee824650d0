using System.Runtime.InteropServices;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Memory;
using SixLabors.ImageSharp.PixelFormats;

namespace EfficientAD.Imaging;

/// <summary>PNG and JPEG by ImageSharp, with these two decoders alone, on one thread, within a memory limit. It sees
/// only what <see cref="PngFile"/>, <see cref="PngRows"/> and <see cref="JpegFile"/> let through: whole files without
/// metadata.</summary>
internal sealed class ImageSharpDecoder
{
    // The largest single buffer is a 16-bit RGB image: 6 bytes a pixel.
    private const int BytesPerPixelLimit = 8;

    private readonly Configuration _configuration;

    public ImageSharpDecoder(ImageLimits limits)
    {
        long megabytes = 16 + limits.MaxPixels * BytesPerPixelLimit / (1 << 20);
        _configuration = new Configuration
        {
            MaxDegreeOfParallelism = 1,
            MemoryAllocator = MemoryAllocator.Create(new MemoryAllocatorOptions
            {
                AllocationLimitMegabytes = (int)megabytes,
                MaximumPoolSizeMegabytes = 64,
            }),
        };
        var formats = _configuration.ImageFormatsManager;
        formats.AddImageFormat(PngFormat.Instance);
        formats.AddImageFormatDetector(new PngImageFormatDetector());
        formats.SetDecoder(PngFormat.Instance, new PngDecoder { IgnoreMetadata = true });
        formats.AddImageFormat(JpegFormat.Instance);
        formats.AddImageFormatDetector(new JpegImageFormatDetector());
        formats.SetDecoder(JpegFormat.Instance, new JpegDecoder { IgnoreMetadata = true });
    }

    public RgbImage DecodePng(ImageFile file)
    {
        var png = PngFile.Parse(file);
        PngRows.Check(file, png);
        return png.BitDepth < 16
            ? Decode<Rgb24>(file, png.PixelsOnly, png.Width, png.Height, CopySamples)
            : Decode<Rgb48>(file, png.PixelsOnly, png.Width, png.Height, ScaleSamples);
    }

    public RgbImage DecodeJpeg(ImageFile file)
    {
        var jpeg = JpegFile.Parse(file);
        return Decode<Rgb24>(file, jpeg.WithPixelsOnly(), jpeg.Width, jpeg.Height, CopySamples);
    }

    private delegate void CopyRow(ImageFile file, ReadOnlySpan<byte> from, Span<byte> to);

    private static void CopySamples(ImageFile file, ReadOnlySpan<byte> from, Span<byte> to) => from.CopyTo(to);

    private static void ScaleSamples(ImageFile file, ReadOnlySpan<byte> from, Span<byte> to)
    {
        ReadOnlySpan<ushort> samples = MemoryMarshal.Cast<byte, ushort>(from);
        for (int i = 0; i < samples.Length; i++) to[i] = file.Scale(samples[i], ushort.MaxValue);
    }

    /// <summary>Whatever a decoder throws at bytes that passed the gate means one thing: damaged.</summary>
    private RgbImage Decode<TPixel>(ImageFile file, byte[] bytes, int width, int height, CopyRow copyRow)
        where TPixel : unmanaged, IPixel<TPixel>
    {
        try
        {
            IImageInfo? info = Image.Identify(_configuration, new MemoryStream(bytes, writable: false));
            if (info?.Width != width || info.Height != height)
                throw file.Damaged($"the header says {width} x {height}, the decoder {info?.Width} x {info?.Height}");
            using Image<TPixel> decoded = Image.Load<TPixel>(_configuration, new MemoryStream(bytes, writable: false));
            var image = new RgbImage(width, height);
            decoded.ProcessPixelRows(rows =>
            {
                for (int y = 0; y < height; y++)
                {
                    Span<byte> row = image.Pixels.AsSpan(3 * width * y, 3 * width);
                    copyRow(file, MemoryMarshal.AsBytes<TPixel>(rows.GetRowSpan(y)), row);
                }
            });
            return image;
        }
        catch (Exception e) when (e is not (OutOfMemoryException or ImageFormatException))
        {
            throw file.Damaged($"the pixel data is damaged ({e.Message.TrimEnd('.')})", e);
        }
    }
}
