namespace EfficientAD.Imaging;

/// <summary>An 8-bit RGB image in memory: rows from top to bottom, 3 bytes a pixel, no padding.</summary>
public sealed class RgbImage
{
    public RgbImage(int width, int height) : this(width, height, new byte[checked(width * height * 3)]) { }

    public RgbImage(int width, int height, byte[] pixels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (pixels.Length != (long)width * height * 3)
            throw new ArgumentException(
                $"{width} x {height} RGB takes {(long)width * height * 3} bytes but the array holds {pixels.Length}.",
                nameof(pixels));
        (Width, Height, Pixels) = (width, height, pixels);
    }

    public int Width { get; }

    public int Height { get; }

    /// <summary>Red, green, blue of pixel (x, y) at 3 * (y * Width + x).</summary>
    public byte[] Pixels { get; }

    public ImageView View => new(Pixels, Width, Height, Width * 3, PixelFormat.Rgb24);
}
