using System.Runtime.InteropServices;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Memory;
using SixLabors.ImageSharp.PixelFormats;

namespace EfficientAD.Imaging;

/// <summary>PNG and JPEG by ImageSharp, with these two decoders alone, on one thread, within a memory limit. It sees only what
/// <see cref="PngFile"/>, <see cref="PngRows"/> and <see cref="JpegFile"/> let through: whole files without metadata.</summary>
internal sealed class ImageSharpDecoder
{
    // The largest single buffer is a 16-bit RGB image: 6 bytes a pixel.
    private const int BytesPerPixelLimit = 8;

    private readonly Configuration _configuration;

    public ImageSharpDecoder(ImageLimits limits)
    {
        _configuration = new Configuration
        {
            MaxDegreeOfParallelism = 1,
            MemoryAllocator = MemoryAllocator.Create(new MemoryAllocatorOptions
            {
                AllocationLimitMegabytes = (int)Math.Min(16 + limits.MaxPixels * BytesPerPixelLimit / (1 << 20), int.MaxValue),
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
        byte[] pixels = png.WithPixelsOnly();
        if (png.BitDepth < 16) return Decode<Rgb24>(file, pixels, png.Width, png.Height, static (_, from, to) => from.CopyTo(to));
        return Decode<Rgb48>(file, pixels, png.Width, png.Height, static (file, from, to) =>
        {
            ReadOnlySpan<ushort> samples = MemoryMarshal.Cast<byte, ushort>(from);
            for (int i = 0; i < samples.Length; i++) to[i] = file.Scale(samples[i], ushort.MaxValue);
        });
    }

    public RgbImage DecodeJpeg(ImageFile file)
    {
        var jpeg = JpegFile.Parse(file);
        return Decode<Rgb24>(file, jpeg.WithPixelsOnly(), jpeg.Width, jpeg.Height, static (_, from, to) => from.CopyTo(to));
    }

    private delegate void CopyRow(ImageFile file, ReadOnlySpan<byte> from, Span<byte> to);

    /// <summary>Whatever a decoder throws at bytes that passed the gate means one thing: damaged.</summary>
    private RgbImage Decode<TPixel>(ImageFile file, byte[] bytes, int width, int height, CopyRow copyRow)
        where TPixel : unmanaged, IPixel<TPixel>
    {
        try
        {
            IImageInfo? info = Image.Identify(_configuration, new MemoryStream(bytes, writable: false));
            if (info?.Width != width || info.Height != height)
                throw file.Refuse($"the picture is {width} x {height} by its header but {info?.Width} x {info?.Height} to the decoder. {ImageFile.CopyAgain}");
            using Image<TPixel> decoded = Image.Load<TPixel>(_configuration, new MemoryStream(bytes, writable: false));
            var image = new RgbImage(width, height);
            decoded.ProcessPixelRows(rows =>
            {
                for (int y = 0; y < height; y++)
                    copyRow(file, MemoryMarshal.AsBytes<TPixel>(rows.GetRowSpan(y)), image.Pixels.AsSpan(3 * width * y, 3 * width));
            });
            return image;
        }
        catch (Exception e) when (e is not (OutOfMemoryException or ImageFormatException))
        {
            throw file.Refuse($"the pixel data is damaged ({e.Message.TrimEnd('.')}). {ImageFile.CopyAgain}", e);
        }
    }
}
