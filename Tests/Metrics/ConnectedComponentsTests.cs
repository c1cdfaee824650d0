using EfficientAD.Imaging;
using EfficientAD.Metrics;

namespace EfficientAD.Tests.Metrics;

public class ConnectedComponentsTests
{
    [Theory, InlineData(0), InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public void Labels_MatchScikitImage(int number)
    {
        using var reference = new MetricsReference("components");
        int[] size = reference.Integers($"{number}.size");
        int[] expected = reference.Integers($"{number}.labels");

        var labels = new int[expected.Length];
        var mask = new GreyImage(size[0], size[1], reference.Bytes($"{number}.mask"));
        int count = ConnectedComponents.Label(mask, labels);

        Assert.Equal(expected, labels);
        Assert.Equal(expected.Max(), count);
    }

    [Fact]
    public void Corners_Touch_AndLateJoinsKeepTheFirstNumber()
    {
        // The two arms of a V meet in the last row; the dot to the right stands alone.
        byte[] pixels =
        [
            1, 0, 0, 0, 9, 0, 0,
            0, 1, 0, 9, 0, 0, 1,
            0, 0, 1, 0, 0, 0, 0,
        ];
        var labels = new int[pixels.Length];

        Assert.Equal(2, ConnectedComponents.Label(new GreyImage(7, 3, pixels), labels));
        Assert.Equal(
        [
            1, 0, 0, 0, 1, 0, 0,
            0, 1, 0, 1, 0, 0, 2,
            0, 0, 1, 0, 0, 0, 0,
        ], labels);
    }
}
