namespace EfficientAD.Imaging;

/// <summary>From pixels to the networks' input on the CPU: colour adjustment, Pillow's resize, centre crop, ImageNet's
/// normalisation.</summary>
/// <remarks>Remembers the resizes of the last sizes and allocates nothing for a size it knows. Not thread-safe: one
/// instance per thread.</remarks>
public sealed class Preprocessing
{
    private const int RememberedSizes = 16;

    /// <summary>ImageNet's, per colour, of values in [0, 1].</summary>
    internal static readonly float[] Mean = [0.485f, 0.456f, 0.406f];
    /// <inheritdoc cref="Mean"/>
    internal static readonly float[] Deviation = [0.229f, 0.224f, 0.225f];
    private static readonly float[][] Normalized = [Normalize(0), Normalize(1), Normalize(2)];

    private readonly Dictionary<PreprocessingSizes, PillowResize> _resizes = [];
    private byte[] _resized = [];

    /// <param name="image">Any size and format.</param>
    /// <param name="adjustment">Applied before the resize.</param>
    /// <param name="resizedHeight">Height after the resize, at least <paramref name="height"/>.</param>
    /// <param name="resizedWidth">Width after the resize, at least <paramref name="width"/>.</param>
    /// <param name="height">Height of the centre crop.</param>
    /// <param name="width">Width of the centre crop.</param>
    /// <param name="output">[3, height, width], RGB, overwritten: (value / 255 - mean) / deviation in float32.</param>
    /// <exception cref="ArgumentException">The output is larger than the resized image, or does not hold 3 * height *
    /// width values.</exception>
    public void Run(
        ImageView image, ColourAdjustment adjustment, int resizedHeight, int resizedWidth,
        int height, int width, Span<float> output)
    {
        var sizes = new PreprocessingSizes(image.Height, image.Width, resizedHeight, resizedWidth, height, width);
        sizes.RequireCropInside();
        if (output.Length != 3L * height * width)
            throw new ArgumentException(
                $"[3, {height}, {width}] takes {3L * height * width} values but the span holds {output.Length}.",
                nameof(output));

        if (_resized.Length < output.Length) _resized = new byte[output.Length];
        int plane = height * width;
        if (image.Format == PixelFormat.Grey8)
        {
            Span<byte> grey = _resized.AsSpan(0, plane);
            Resize(sizes).RunGrey(image, adjustment, grey);
            for (int colour = 0; colour < Normalized.Length; colour++)
                LookUp(Normalized[colour], grey, output.Slice(colour * plane, plane));
            return;
        }

        Span<byte> rgb = _resized.AsSpan(0, output.Length);
        Resize(sizes).Run(image, adjustment, rgb);

        float[] red = Normalized[0], green = Normalized[1], blue = Normalized[2];
        Span<float> reds = output[..plane], greens = output[plane..(2 * plane)], blues = output[(2 * plane)..];
        for (int i = 0, j = 0; i < reds.Length; i++, j += 3)
        {
            reds[i] = red[rgb[j]];
            greens[i] = green[rgb[j + 1]];
            blues[i] = blue[rgb[j + 2]];
        }
    }

    private static void LookUp(float[] values, ReadOnlySpan<byte> bytes, Span<float> output)
    {
        for (int i = 0; i < output.Length; i++) output[i] = values[bytes[i]];
    }

    private PillowResize Resize(PreprocessingSizes sizes)
    {
        if (_resizes.TryGetValue(sizes, out PillowResize? known)) return known;
        if (_resizes.Count == RememberedSizes) _resizes.Clear();
        return _resizes[sizes] = new PillowResize(
            sizes.SourceHeight, sizes.SourceWidth, sizes.ResizedHeight, sizes.ResizedWidth,
            sizes.Top, sizes.Left, sizes.Height, sizes.Width);
    }

    private static float[] Normalize(int channel) =>
        [.. Enumerable.Range(0, 256).Select(value => (value / 255f - Mean[channel]) / Deviation[channel])];
}
