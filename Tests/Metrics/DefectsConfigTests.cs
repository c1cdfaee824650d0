using EfficientAD.Metrics;

namespace EfficientAD.Tests.Metrics;

public class DefectsConfigTests
{
    private const string Json = """
        [
          { "defect_name": "missing_pin", "pixel_value": 255, "saturation_threshold": 6300, "relative_saturation": false },
          { "defect_name": "bent", "pixel_value": 250, "saturation_threshold": 0.3, "relative_saturation": true }
        ]
        """;

    [Fact]
    public void Entries_AreFoundByTheMasksValue()
    {
        DefectsConfig config = DefectsConfig.Parse(Json);

        Assert.Equal(new DefectSaturation("bent", 250, 0.3, true), config.EntryOf(new Mask(3, 1, [0, 250, 250])));
        Assert.Equal(new DefectSaturation("missing_pin", 255, 6300, false), config.EntryOf(new Mask(2, 1, [255, 255])));
    }

    [Theory]
    [InlineData(true, 0.3, 100, 30)]
    [InlineData(true, 0.3, 99, 29)]   // the fraction is cut off, not rounded
    [InlineData(true, 0.3, 2, 1)]     // never less than a pixel
    [InlineData(false, 50, 100, 50)]
    [InlineData(false, 50, 20, 20)]   // never more than the defect
    public void SaturationArea(bool isRelative, double threshold, int area, int expected) =>
        Assert.Equal(expected, new DefectSaturation("a", 1, threshold, isRelative).SaturationArea(area));

    [Theory]
    [InlineData(new byte[] { 0, 0 }, "empty")]
    [InlineData(new byte[] { 250, 255 }, "250 and 255")]
    [InlineData(new byte[] { 0, 7 }, "no pixel_value 7. It has: 250, 255")]
    public void MaskThatFitsNoEntry_IsAnError(byte[] pixels, string message)
    {
        var error = Assert.Throws<InvalidDataException>(() => DefectsConfig.Parse(Json).EntryOf(new Mask(2, 1, pixels)));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("""[{ "defect_name": "a", "pixel_value": 1.5, "saturation_threshold": 1, "relative_saturation": false }]""")]
    [InlineData("""[{ "defect_name": "a", "pixel_value": 0, "saturation_threshold": 1, "relative_saturation": false }]""")]
    [InlineData("""[{ "defect_name": "a", "pixel_value": 1, "saturation_threshold": 1.5, "relative_saturation": true }]""")]
    [InlineData("""[{ "defect_name": "a", "pixel_value": 1, "saturation_threshold": -4, "relative_saturation": false }]""")]
    [InlineData("""[{ "defect_name": "a", "pixel_value": 1, "relative_saturation": false }]""")]
    public void AnythingElse_IsAnError(string json) =>
        Assert.Throws<InvalidDataException>(() => DefectsConfig.Parse(json));
}
