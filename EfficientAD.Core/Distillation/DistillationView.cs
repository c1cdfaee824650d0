using EfficientAD.Imaging;
using EfficientAD.Tensors;

namespace EfficientAD.Distillation;

/// <summary>A random rectangle of an image, perhaps mirrored, perhaps grey; backbone and teacher see the same
/// one.</summary>
internal readonly record struct DistillationView(int Left, int Top, int Width, int Height, bool Mirrored, bool Grey)
{
    private const float GreyProbability = 0.1f, LargestZoom = 1.4f, LargestStretch = 1.15f;

    /// <summary>The paper shows the teacher whole images at 256 x 256; so a view of <paramref name="size"/> pixels
    /// covers about size / 256 of the image's sides, give or take a random zoom and a slight change of shape.</summary>
    /// <param name="random">The view's own stream.</param>
    public static DistillationView Draw(CounterRandom random, int imageWidth, int imageHeight, int size)
    {
        double zoom = Math.Pow(LargestZoom, random.Uniform(0, -1, 1));
        double stretch = Math.Pow(LargestStretch, random.Uniform(1, -1, 1));
        double side = Math.Sqrt((double)imageWidth * imageHeight) * size / 256 * zoom;
        int width = Math.Clamp((int)Math.Round(side * stretch), 1, imageWidth);
        int height = Math.Clamp((int)Math.Round(side / stretch), 1, imageHeight);
        return new DistillationView(
            random.Below(2, imageWidth - width + 1), random.Below(3, imageHeight - height + 1), width, height,
            random.Uniform(4) < 0.5f, random.Uniform(5) < GreyProbability);
    }

    /// <summary>This view of an image at size x size pixels.</summary>
    public RgbImage Render(RgbImage image, int size)
    {
        var rendered = new RgbImage(size, size);
        ColourAdjustment adjustment = Grey ? ColourAdjustment.Grey : ColourAdjustment.None;
        new PillowResize(Height, Width, size, size).Run(
            image.View.Crop(Left, Top, Width, Height), adjustment, rendered.Pixels);
        if (Mirrored)
        {
            for (int y = 0; y < size; y++) Mirror(rendered.Pixels.AsSpan(3 * y * size, 3 * size));
        }

        return rendered;
    }

    private static void Mirror(Span<byte> row)
    {
        row.Reverse();
        for (int i = 0; i < row.Length; i += 3) (row[i], row[i + 2]) = (row[i + 2], row[i]);
    }
}
