using EfficientAD.Cli.Reports;
using EfficientAD.Detection;
using EfficientAD.Imaging;

namespace EfficientAD.Tests.Reports;

public class OverlayTests
{
    private const float Threshold = 0.4f;

    [Fact]
    public void LowScores_LeaveTheImageAsItIs()
    {
        RgbImage image = Grey(6, 4, 90);
        RgbImage overlay = Overlay.Render(image, Map(6, 4, _ => 0.09f), Threshold, contour: true);

        Assert.Equal(image.Pixels, overlay.Pixels);
    }

    [Fact]
    public void HighScores_AreColoured_AndTheSourceStaysAsItIs()
    {
        RgbImage image = Grey(2, 1, 100);
        RgbImage overlay = Overlay.Render(image, new AnomalyMap(2, 1, [0, 40]), Threshold, contour: false);

        // 40 / 40.4 = 0.99 of the scale, three quarters opaque.
        (byte r, byte g, byte b) = ColourMap.At(40 / 40.4);
        Assert.Equal([100, 100, 100, Quarter(r), Quarter(g), Quarter(b)], overlay.Pixels);
        Assert.All(image.Pixels, pixel => Assert.Equal(100, pixel));

        static byte Quarter(byte colour) => (byte)Math.Round(25 + 0.75 * colour);
    }

    [Fact]
    public void Contour_SurroundsThePixelsAboveTheThreshold()
    {
        // A square of 5 x 5 in the middle of 13 x 13; just at the threshold is not above it.
        AnomalyMap map = Map(13, 13, i => i / 13 is >= 4 and <= 8 && i % 13 is >= 4 and <= 8 ? 1 : Threshold);
        RgbImage with = Overlay.Render(Grey(13, 13, 90), map, Threshold, contour: true);
        RgbImage without = Overlay.Render(Grey(13, 13, 90), map, Threshold, contour: false);

        for (int y = 0; y < 13; y++)
            for (int x = 0; x < 13; x++)
            {
                int distance = Math.Max(Math.Abs(x - 6), Math.Abs(y - 6));  // 2: the square's own border
                byte[] line = distance == 2 ? [255, 255, 255] : [32, 32, 32];
                Assert.Equal(distance is 1 or 2 or 3 ? line : At(without, x, y), At(with, x, y));
            }
    }

    [Fact]
    public void SizesThatDiffer_AreAnError() => Assert.Throws<ArgumentException>(
        () => Overlay.Render(Grey(3, 2, 0), new AnomalyMap(2, 3), Threshold, contour: false));

    [Theory, InlineData(0.4f), InlineData(7f), InlineData(0f), InlineData(-0.3f)]
    public void Scale_HasTheThresholdInTheMiddle_AndRises(float threshold)
    {
        var scale = new HeatmapScale(threshold);
        double[] intensities = [.. Enumerable.Range(-100, 2000).Select(i => scale.Intensity(i * 0.01))];

        Assert.Equal(0.5, scale.Intensity(threshold), 1e-12);
        Assert.Equal(intensities.Order(), intensities);
        Assert.InRange(intensities.Max(), 0.6, 1);
        foreach (double intensity in new[] { 0.1, 0.5, 0.9 })
            Assert.Equal(intensity, scale.Intensity(scale.Score(intensity)), 1e-12);
    }

    [Fact]
    public void Colours_GrowEvenlyLighter()
    {
        double[] lightness = [.. Enumerable.Range(0, 11).Select(i => Lightness(ColourMap.At(i / 10.0)))];
        double[] steps = [.. lightness.Skip(1).Zip(lightness, (next, previous) => next - previous)];

        // CIE L*, which is not what the map was made in: hence the wide bounds about the mean step of 6.
        Assert.All(steps, step => Assert.InRange(step, 3.5, 9));
    }

    private static double Lightness((byte R, byte G, byte B) colour)
    {
        double y = 0.2126 * Linear(colour.R) + 0.7152 * Linear(colour.G) + 0.0722 * Linear(colour.B);
        return y > 0.008856 ? 116 * Math.Cbrt(y) - 16 : 903.3 * y;

        static double Linear(byte value) => Math.Pow((value / 255.0 + 0.055) / 1.055, 2.4);
    }

    private static RgbImage Grey(int width, int height, byte value)
    {
        var image = new RgbImage(width, height);
        Array.Fill(image.Pixels, value);
        return image;
    }

    private static AnomalyMap Map(int width, int height, Func<int, float> value) =>
        new(width, height, [.. Enumerable.Range(0, width * height).Select(value)]);

    private static byte[] At(RgbImage image, int x, int y) => image.Pixels[(3 * (y * image.Width + x))..][..3];
}
