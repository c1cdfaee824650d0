using EfficientAD.Detection;
using EfficientAD.Imaging;

namespace EfficientAD.Cli.Reports;

/// <summary>An image with its anomaly map in colour upon it.</summary>
internal static class Overlay
{
    private const int PixelsPerContourPixel = 300;

    /// <summary>Blends the map's colours over the image.</summary>
    /// <param name="map">Of the image's size.</param>
    /// <param name="threshold">Sets the scale: see <see cref="HeatmapScale"/>.</param>
    /// <param name="contour">Draws a line around the pixels above the threshold.</param>
    /// <exception cref="ArgumentException">Map and image differ in size.</exception>
    public static RgbImage Render(RgbImage image, AnomalyMap map, float threshold, bool contour)
    {
        if ((image.Width, image.Height) != (map.Width, map.Height))
            throw new ArgumentException(
                $"The image is {image.Width} x {image.Height} but the map {map.Width} x {map.Height}.", nameof(map));

        var scale = new HeatmapScale(threshold);
        var blended = new RgbImage(image.Width, image.Height);
        for (int i = 0; i < map.Values.Length; i++)
        {
            double intensity = scale.Intensity(map.Values[i]), opacity = HeatmapScale.Opacity(intensity);
            (byte r, byte g, byte b) = ColourMap.At(intensity);
            blended.Pixels[3 * i] = Blend(image.Pixels[3 * i], r, opacity);
            blended.Pixels[3 * i + 1] = Blend(image.Pixels[3 * i + 1], g, opacity);
            blended.Pixels[3 * i + 2] = Blend(image.Pixels[3 * i + 2], b, opacity);
        }
        if (contour) DrawContour(blended, map, threshold);
        return blended;
    }

    private static byte Blend(byte below, byte above, double opacity) =>
        (byte)Math.Round(below + opacity * (above - below));

    /// <summary>A white line with dark sides, to be seen on any ground.</summary>
    private static void DrawContour(RgbImage image, AnomalyMap map, float threshold)
    {
        int[] edge = [.. Enumerable.Range(0, map.Values.Length).Where(i => IsEdge(map, i, threshold))];
        int width = 1 + Math.Max(map.Width, map.Height) / PixelsPerContourPixel;
        foreach (int i in edge) FillSquare(image, i, width + 2, 0x20);
        foreach (int i in edge) FillSquare(image, i, width, 0xFF);
    }

    /// <summary>Above the threshold, beside one that is not.</summary>
    private static bool IsEdge(AnomalyMap map, int i, float threshold)
    {
        if (!(map.Values[i] > threshold)) return false;
        (int y, int x) = Math.DivRem(i, map.Width);
        return x > 0 && !(map.Values[i - 1] > threshold)
            || x + 1 < map.Width && !(map.Values[i + 1] > threshold)
            || y > 0 && !(map.Values[i - map.Width] > threshold)
            || y + 1 < map.Height && !(map.Values[i + map.Width] > threshold);
    }

    private static void FillSquare(RgbImage image, int centre, int size, byte grey)
    {
        (int y, int x) = Math.DivRem(centre, image.Width);
        (int left, int top) = (x - (size - 1) / 2, y - (size - 1) / 2);
        for (int row = Math.Max(top, 0); row < Math.Min(top + size, image.Height); row++)
        {
            (int from, int to) = (Math.Max(left, 0), Math.Min(left + size, image.Width));
            image.Pixels.AsSpan(3 * (row * image.Width + from), 3 * (to - from)).Fill(grey);
        }
    }
}
