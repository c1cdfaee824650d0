namespace EfficientAD.Imaging;

/// <summary>An 8-bit grey image in memory, a ground-truth mask for instance: rows from top to bottom, no
/// padding.</summary>
public sealed class GreyImage
{
    public GreyImage(int width, int height) : this(width, height, new byte[checked(width * height)]) { }

    public GreyImage(int width, int height, byte[] pixels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (pixels.Length != (long)width * height)
            throw new ArgumentException(
                $"{width} x {height} grey takes {(long)width * height} bytes but the array holds {pixels.Length}.",
                nameof(pixels));
        (Width, Height, Pixels) = (width, height, pixels);
    }

    public int Width { get; }

    public int Height { get; }

    /// <summary>Pixel (x, y) at y * Width + x.</summary>
    public byte[] Pixels { get; }

    public ImageView View => new(Pixels, Width, Height, Width, PixelFormat.Grey8);
}
