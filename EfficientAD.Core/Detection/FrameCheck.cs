using EfficientAD.Imaging;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace EfficientAD.Detection;

/// <summary>Finds frames that show nothing: a covered lens, a dead sensor, a lamp that is off or far too
/// bright.</summary>
internal static class FrameCheck
{
    // Sensor noise alone spreads over more levels than this.
    private const int BlankRange = 2;
    private const double SaturatedShare = 0.999;

    /// <returns>Why the frame is useless, or null.</returns>
    public static string? FindFault(ImageView image)
    {
        byte low = byte.MaxValue, high = byte.MinValue;
        long dark = 0, bright = 0, samples = (long)image.Height * image.Width * Math.Min(3, image.BytesPerPixel);
        Span<byte> colours = image.BytesPerPixel == 4 ? new byte[image.Width * 3] : [];
        for (int y = 0; y < image.Height; y++)
        {
            ReadOnlySpan<byte> row = image.Row(y);
            if (image.BytesPerPixel == 4)
            {
                DropAlpha(row, colours);
                row = colours;
            }

            low = Math.Min(low, TensorPrimitives.Min(row));
            high = Math.Max(high, TensorPrimitives.Max(row));
            dark += row.Count(byte.MinValue);
            bright += row.Count(byte.MaxValue);
        }

        if (high - low <= BlankRange) return $"The picture is blank: all its values lie between {low} and {high}.";
        if (bright >= SaturatedShare * samples)
            return $"The picture is overexposed: {bright} of {samples} values are 255.";
        if (dark >= SaturatedShare * samples) return $"The picture is underexposed: {dark} of {samples} values are 0.";
        return null;
    }

    private static void DropAlpha(ReadOnlySpan<byte> row, Span<byte> colours)
    {
        for (int i = 0, j = 0; i < row.Length; i += 4, j += 3)
            (colours[j], colours[j + 1], colours[j + 2]) = (row[i], row[i + 1], row[i + 2]);
    }
}
