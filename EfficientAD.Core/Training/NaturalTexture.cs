using EfficientAD.Imaging;
using EfficientAD.Tensors;

namespace EfficientAD.Training;

/// <summary>Generated images with the statistics of natural ones: for the pretraining penalty where there are no
/// photographs.</summary>
/// <remarks>
/// The dead-leaves model (Lee, Mumford and Huang, 2001): opaque shapes whose radii follow r^-3 cover each other, which
/// gives the scale invariance of natural images; each shape carries a texture. Baradad et al. (2021) found such images
/// good enough to learn features from. What lies far is out of focus, some shapes are strands, many stand upright: the
/// student stays as silent on photographs as on these images only if they have soft shades, thin lines and stripes too.
/// Only +, -, *, / and square roots in a fixed order: same bits on every machine.
/// </remarks>
public static class NaturalTexture
{
    private const ulong StreamTag = 0x4E61_7475_0000_0000;  // apart from the streams of the trainer's other draws
    private const ulong StyleDraws = 1UL << 40;             // behind the draws of the leaves, which start at 0

    /// <summary>Image <paramref name="index"/> of the endless series that belongs to <paramref name="seed"/>.</summary>
    /// <param name="size">Width and height in pixels, at least 32.</param>
    public static RgbImage Render(ulong seed, int index, int size = 512)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 32);

        var random = new CounterRandom(seed, StreamTag | (uint)index);
        var style = new NaturalTextureStyle(random, StyleDraws);
        var canvas = new float[checked(size * size * 3)];
        NaturalTextureLeaf.Background(random, 0, style, size).Paint(canvas, size);

        ulong leaves = 1;  // the background is the first
        Cover(style.FarLayers);
        Defocus(canvas, size, style.Defocus);
        Cover(style.NearLayers);
        return Develop(canvas, size, style);

        void Cover(float layers)
        {
            for (float area = layers * size * size; area > 0; leaves++)
            {
                ulong first = leaves * NaturalTextureLeaf.DrawsPerLeaf;
                if (!NaturalTextureLeaf.TryDraw(random, first, style, size, out var leaf)) continue;
                leaf.Paint(canvas, size);
                area -= leaf.Area;
            }
        }
    }

    /// <summary>Noise with the 1/f amplitude spectrum of natural images.</summary>
    /// <param name="random">Where the noise comes from; its draws 0 to 2 * size * size are used.</param>
    /// <param name="size">A power of two, at least 4.</param>
    /// <returns>[size, size], periodic in both directions, mean 0, standard deviation 1.</returns>
    public static float[] Noise(CounterRandom random, int size) => NaturalTextureTile.Fractal(random, size, 1, 1);

    /// <summary>Puts what was painted so far out of focus: three means in turn are nearly a Gaussian.</summary>
    /// <param name="reach">Each is over 2 reach + 1 pixels in both directions; edge pixels are repeated.</param>
    private static void Defocus(float[] canvas, int size, int reach)
    {
        if (reach == 0) return;
        var line = new float[3 * size];
        for (int pass = 0; pass < 3; pass++)
        {
            for (int y = 0; y < size; y++) BlurLine(canvas.AsSpan(3 * size * y), 3, reach, line);
            for (int x = 0; x < size; x++) BlurLine(canvas.AsSpan(3 * x), 3 * size, reach, line);
        }
    }

    /// <param name="pixels">The line's pixels are <paramref name="stride"/> values apart.</param>
    /// <param name="line">As long as the line; overwritten.</param>
    private static void BlurLine(Span<float> pixels, int stride, int reach, float[] line)
    {
        int count = line.Length / 3, last = count - 1;
        for (int i = 0; i < count; i++) pixels.Slice(i * stride, 3).CopyTo(line.AsSpan(3 * i));
        for (int c = 0; c < 3; c++)
        {
            double sum = 0;
            for (int i = -reach; i <= reach; i++) sum += line[3 * Math.Clamp(i, 0, last) + c];
            for (int i = 0; i < count; i++)
            {
                pixels[i * stride + c] = (float)(sum / (2 * reach + 1));
                sum += line[3 * Math.Min(i + reach + 1, last) + c] - line[3 * Math.Max(i - reach, 0) + c];
            }
        }
    }

    /// <summary>Applies blur, light falloff and rounding.</summary>
    private static RgbImage Develop(float[] canvas, int size, NaturalTextureStyle style)
    {
        var image = new RgbImage(size, size);
        int stride = 3 * size;
        var sum = new float[stride + 6];  // three rows weighted, with the edge pixels repeated
        float side = style.Blur, centre = 1 - 2 * side;
        for (int y = 0; y < size; y++)
        {
            var above = canvas.AsSpan(Math.Max(y - 1, 0) * stride, stride);
            var here = canvas.AsSpan(y * stride, stride);
            var below = canvas.AsSpan(Math.Min(y + 1, size - 1) * stride, stride);
            for (int i = 0; i < here.Length; i++) sum[i + 3] = centre * here[i] + side * (above[i] + below[i]);
            for (int c = 0; c < 3; c++) (sum[c], sum[stride + 3 + c]) = (sum[c + 3], sum[stride + c]);

            var pixels = image.Pixels.AsSpan(y * stride, stride);
            float light = 255 * (1 + style.LightY * (2f * y / size - 1)), step = 255 * style.LightX * 2 / size;
            for (int x = 0; x < size; x++)
                for (int c = 0, i = 3 * x; c < 3; c++, i++)
                {
                    float value = centre * sum[i + 3] + side * (sum[i] + sum[i + 6]);
                    value *= light + step * (x - size / 2);
                    pixels[i] = (byte)Math.Clamp(value + 0.5f, 0, 255);
                }
        }
        return image;
    }
}
