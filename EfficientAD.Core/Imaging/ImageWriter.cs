using EfficientAD.Models;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.PixelFormats;

namespace EfficientAD.Imaging;

/// <summary>Writes pictures, each whole or not at all.</summary>
public static class ImageWriter
{
    private static readonly PngEncoder RgbEncoder = new()
    {
        ColorType = PngColorType.Rgb,
        BitDepth = PngBitDepth.Bit8,
    };

    private static readonly PngEncoder GreyEncoder = new()
    {
        ColorType = PngColorType.Grayscale,
        BitDepth = PngBitDepth.Bit8,
    };

    private static readonly Configuration Configuration = new() { MaxDegreeOfParallelism = 1 };

    /// <summary>Writes an 8-bit RGB PNG, replacing what was there.</summary>
    /// <exception cref="IOException">The folder is missing, the disk is full, and the like.</exception>
    public static void WritePng(string path, RgbImage image) =>
        AtomicFile.Write(path, stream => WritePng(stream, image));

    /// <summary>Writes an 8-bit grey PNG, replacing what was there.</summary>
    /// <exception cref="IOException">The folder is missing, the disk is full, and the like.</exception>
    public static void WritePng(string path, GreyImage image) =>
        AtomicFile.Write(path, stream => WritePng(stream, image));

    public static void WritePng(Stream stream, RgbImage image)
    {
        using Image<Rgb24> png = Image.LoadPixelData<Rgb24>(Configuration, image.Pixels, image.Width, image.Height);
        png.Save(stream, RgbEncoder);
    }

    public static void WritePng(Stream stream, GreyImage image)
    {
        using Image<L8> png = Image.LoadPixelData<L8>(Configuration, image.Pixels, image.Width, image.Height);
        png.Save(stream, GreyEncoder);
    }
}
