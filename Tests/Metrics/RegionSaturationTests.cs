using EfficientAD.Imaging;
using EfficientAD.Metrics;

namespace EfficientAD.Tests.Metrics;

public class RegionSaturationTests
{
    [Theory]
    [InlineData(true, 0.3, 100, 30)]
    [InlineData(true, 0.3, 99, 29)]   // the fraction is cut off, not rounded
    [InlineData(true, 0.3, 2, 1)]     // never less than a pixel
    [InlineData(false, 50, 100, 50)]
    [InlineData(false, 50, 20, 20)]   // never more than the defect
    public void Area_IsAFractionOrANumberOfPixels(bool isRelative, double threshold, int area, int expected)
    {
        var saturation = new RegionSaturation([new("other", 9, 1, false), new("bent", 7, threshold, isRelative)]);
        byte[] pixels = [0, .. Enumerable.Repeat((byte)7, area), 0];

        Assert.Equal(expected, saturation.Area(new GreyImage(area + 2, 1, pixels)));
    }

    [Theory]
    [InlineData(new byte[] { 0, 0 }, "empty")]
    [InlineData(new byte[] { 250, 255 }, "250 and 255")]
    [InlineData(new byte[] { 0, 7 }, "pixel value 7, which stands for no kind of defect. Known are: 250, 255.")]
    public void MaskOfNoKnownKind_IsAnError(byte[] pixels, string message)
    {
        var saturation = new RegionSaturation([new("pin", 255, 6300, false), new("bent", 250, 0.3, true)]);

        var error = Assert.Throws<InvalidDataException>(() => saturation.Area(new GreyImage(2, 1, pixels)));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }
}
