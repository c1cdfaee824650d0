namespace EfficientAD.Metrics;

/// <summary>A ground-truth mask: zero where the image is free of the defect.</summary>
/// <remarks>In MVTec LOCO the value of the other pixels says which entry of <see cref="DefectsConfig"/> holds.</remarks>
public sealed class Mask
{
    public Mask(int width, int height, byte[] pixels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (pixels.Length != (long)width * height)
            throw new ArgumentException($"A {width} x {height} mask has {(long)width * height} pixels, not {pixels.Length}.", nameof(pixels));
        (Width, Height, Pixels) = (width, height, pixels);
    }

    public int Width { get; }

    public int Height { get; }

    /// <summary>The value of pixel (x, y) at y * Width + x.</summary>
    public byte[] Pixels { get; }

    /// <summary>The largest value of each pixel over masks of one size.</summary>
    public static Mask Union(IReadOnlyList<Mask> masks)
    {
        if (masks.Count == 1) return masks[0];
        var union = new Mask(masks[0].Width, masks[0].Height, (byte[])masks[0].Pixels.Clone());
        foreach (Mask mask in masks.Skip(1))
        {
            if ((mask.Width, mask.Height) != (union.Width, union.Height))
                throw new ArgumentException(
                    $"The masks of one image are {union.Width} x {union.Height} and {mask.Width} x {mask.Height}.", nameof(masks));
            for (int i = 0; i < mask.Pixels.Length; i++)
                union.Pixels[i] = Math.Max(union.Pixels[i], mask.Pixels[i]);
        }
        return union;
    }
}
