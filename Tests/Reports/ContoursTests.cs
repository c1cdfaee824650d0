using EfficientAD.Cli.Reports;

namespace EfficientAD.Tests.Reports;

public class ContoursTests
{
    [Fact]
    public void SinglePixel_IsADiamondAboutItsCentre() =>
        AssertPath("M1 1.5L1.5 1L2 1.5L1.5 2Z", Trace(3, 3, 0, 0, 0, 0, 1, 0, 0, 0, 0));

    [Fact]
    public void Place_IsInterpolatedBetweenCentres()
    {
        // Along the middle row from 0 at 0.5 to 4 at 1.5: the level of 0.5 is crossed after an eighth, at 0.625.
        string path = Trace(3, 3, 0, 0, 0, 0, 4, 0, 0, 0, 0);

        AssertPath("M0.6 1.5L1.5 0.6L2.4 1.5L1.5 2.4Z", path);
    }

    [Fact]
    public void StraightEdges_HaveNoPointsBetweenTheirEnds_AndTheImageEndsAtItsBorder() =>
        AssertPath("M0 1.5L0 0.5L0.5 0L3.5 0L4 0.5L4 1.5L3.5 2L0.5 2Z", Trace(4, 2, 1, 1, 1, 1, 1, 1, 1, 1));

    [Fact]
    public void Corners_Join()
    {
        string path = Trace(2, 2, 1, 0, 0, 1);

        Assert.Equal(1, path.Count(c => c == 'Z'));
    }

    [Fact]
    public void Holes_AndSeparateRegions_HaveLinesOfTheirOwn()
    {
        string ring = Trace(3, 3, 1, 1, 1, 1, 0, 1, 1, 1, 1);
        string pair = Trace(3, 1, 1, 0, 1);

        Assert.Equal(2, ring.Count(c => c == 'Z'));
        Assert.Equal(2, pair.Count(c => c == 'Z'));
    }

    [Fact]
    public void NothingAboveTheLevel_HasNoLine() => Assert.Empty(Trace(2, 2, 0.5, 0, 0, 0.5));

    private static string Trace(int width, int height, params double[] values) =>
        Contours.Trace(width, height, i => values[i], 0.5);

    /// <summary>A closed line may begin anywhere: compares the points from the smallest one on.</summary>
    private static void AssertPath(string expected, string actual)
    {
        Assert.Equal(Rotated(expected), Rotated(actual));

        static string[] Rotated(string path)
        {
            string[] points = path.TrimStart('M').TrimEnd('Z').Split('L');
            int start = Array.IndexOf(points, points.Min(StringComparer.Ordinal));
            return [.. points[start..], .. points[..start]];
        }
    }
}
