namespace EfficientAD.Imaging;

/// <summary>8-bit pixels that somebody else owns, a camera's buffer for instance; nothing is copied.</summary>
public readonly ref struct ImageView
{
    /// <param name="pixels">Rows from top to bottom; row y starts at byte y * stride.</param>
    /// <param name="width">Pixels in a row, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="stride">Bytes from one row to the next; at least width * bytes per pixel.</param>
    /// <param name="format">How a pixel's samples lie.</param>
    /// <exception cref="ArgumentException">The buffer is too small for these numbers.</exception>
    public ImageView(ReadOnlySpan<byte> pixels, int width, int height, int stride, PixelFormat format)
    {
        long needed = BytesOf(width, height, stride, format);
        if (pixels.Length < needed)
            throw new ArgumentException(
                $"{width} x {height} {format}, stride {stride}, takes {needed} bytes, the buffer has {pixels.Length}.",
                nameof(pixels));
        Pixels = pixels;
        (Width, Height, Stride, Format) = (width, height, stride, format);
    }

    public ReadOnlySpan<byte> Pixels { get; }

    public int Width { get; }

    public int Height { get; }

    /// <summary>Bytes from one row to the next.</summary>
    public int Stride { get; }

    public PixelFormat Format { get; }

    public int BytesPerPixel => BytesPerPixelOf(Format);

    /// <summary>Row <paramref name="y"/>, without the padding behind it.</summary>
    public ReadOnlySpan<byte> Row(int y) => Pixels.Slice(y * Stride, Width * BytesPerPixel);

    /// <summary>A rectangle of this image; nothing is copied.</summary>
    public ImageView Crop(int x, int y, int width, int height)
    {
        if (x < 0 || y < 0 || width < 1 || height < 1 || x + width > Width || y + height > Height)
            throw new ArgumentOutOfRangeException(
                nameof(x), $"The rectangle ({x}, {y}) {width} x {height} is not inside {Width} x {Height}.");
        return new ImageView(Pixels[(y * Stride + x * BytesPerPixel)..], width, height, Stride, Format);
    }

    /// <summary>The bytes from the first pixel to the last, padding between rows included.</summary>
    /// <exception cref="ArgumentException">There is no such image.</exception>
    internal static long BytesOf(int width, int height, int stride, PixelFormat format)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        long row = (long)width * BytesPerPixelOf(format);
        if (stride < row)
            throw new ArgumentException(
                $"A row of {width} {format} pixels takes {row} bytes but the stride is {stride}.",
                nameof(stride));
        return (long)(height - 1) * stride + row;
    }

    internal static int BytesPerPixelOf(PixelFormat format) => format switch
    {
        PixelFormat.Grey8 => 1,
        PixelFormat.Rgb24 or PixelFormat.Bgr24 => 3,
        PixelFormat.Rgba32 or PixelFormat.Bgra32 => 4,
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "Not a pixel format."),
    };
}
