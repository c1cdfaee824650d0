using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Metrics;

namespace EfficientAD.Tests.Metrics;

public class PixelMetricsTests
{
    private const double Rounding = 1e-12;  // sums over a few thousand thresholds, in another order
    private static readonly double[] Limits = [0.05, 0.3, 1];

    private static readonly RegionSaturation Saturation = new(
    [
        new("half", 10, 0.5, true), new("nine pixels", 20, 9, false),
        new("all", 30, 1, true), new("many pixels", 255, 1000, false),
    ]);

    [Theory, InlineData(0), InlineData(1), InlineData(2)]
    public void RegionOverlap_MatchesBruteForce(int number)
    {
        using var reference = new MetricsReference("pixels");
        int[] counts = [.. reference.Integers($"{number}.sizes").Chunk(2).Select(_ => 1)];
        PixelMetrics metrics = PixelMetrics.Compute(Samples(reference, number, counts))!;

        Assert.Equal(reference.Doubles($"{number}.auroc")[0], metrics.Auroc, Rounding);
        AssertAreas(reference.Doubles($"{number}.pro"), metrics.RegionOverlap);
        Assert.Null(metrics.SaturatedRegionOverlap);
    }

    [Theory, InlineData(0), InlineData(1)]
    public void SaturatedRegionOverlap_MatchesBruteForce(int number)
    {
        using var reference = new MetricsReference("saturated");
        List<PixelSample> samples = Samples(reference, number, reference.Integers($"{number}.mask_counts"));
        PixelMetrics metrics = PixelMetrics.Compute(samples, Saturation)!;

        AssertAreas(reference.Doubles($"{number}.spro"), metrics.SaturatedRegionOverlap!);
    }

    [Fact]
    public void RegionOverlap_MatchesHandComputedValues()
    {
        // Two regions, of 2 and 1 pixels; ten unmarked pixels, six of them in the good image.
        PixelSample[] samples =
        [
            new(new AnomalyMap(7, 1, [9, 7, 0, 8, 0, 0, 6]), [new GreyImage(7, 1, [1, 1, 0, 1, 0, 0, 0])]),
            new(new AnomalyMap(6, 1, [7, 1, 1, 1, 0, 0]), []),
        ];
        RegionOverlapCurve curve = PixelMetrics.Compute(samples)!.RegionOverlap;

        // By threshold: 9 (0, 1/4), 8 (0, 3/4), 7 (0.1, 1) where a marked and an unmarked pixel tie, then 1 all along.
        Assert.Equal(0.75, curve.OverlapAt(0));
        Assert.Equal(0.875, curve.OverlapAt(0.05), 1e-15);
        Assert.Equal(1, curve.OverlapAt(0.1));
        Assert.Equal(1, curve.OverlapAt(1));
        Assert.Equal((0.75 + 0.875) / 2, curve.AreaUnder(0.05), 1e-15);
        Assert.Equal((0.1 * 0.875 + 0.2) / 0.3, curve.AreaUnder(0.3), 1e-15);
    }

    [Fact]
    public void SaturatedRegionOverlap_IsFullOnceTheSaturationAreaIsFound()
    {
        // Half of four pixels saturates: the two scores of 5 do, and the pixels that no threshold finds cost nothing.
        var map = new AnomalyMap(6, 1, [5, 5, 0, 0, 3, 3]);
        PixelSample[] samples = [new(map, [new GreyImage(6, 1, [10, 10, 10, 10, 0, 0])])];
        PixelMetrics metrics = PixelMetrics.Compute(samples, Saturation)!;

        Assert.Equal(1, metrics.SaturatedRegionOverlap!.AreaUnder(0.05));
        Assert.Equal(0.5, metrics.RegionOverlap.AreaUnder(0.05));
    }

    [Fact]
    public void NothingMarked_OrEverything_HasNoMetrics()
    {
        var map = new AnomalyMap(2, 1, [1, 2]);

        Assert.Null(PixelMetrics.Compute([]));
        Assert.Null(PixelMetrics.Compute([new PixelSample(map, [])]));
        Assert.Null(PixelMetrics.Compute([new PixelSample(map, [new GreyImage(2, 1, [1, 1])])]));
        Assert.Null(PixelMetrics.Compute([new PixelSample(map, [new GreyImage(2, 1, [0, 0])])]));
    }

    [Fact]
    public void NonFiniteMap_OrMaskOfAnotherSize_IsAnError()
    {
        var mask = new GreyImage(2, 1, [0, 1]);
        var broken = new PixelSample(new AnomalyMap(2, 1, [0, float.NaN]), [mask]);
        var turned = new PixelSample(new AnomalyMap(1, 2, [0, 1]), [mask]);

        Assert.Throws<ArgumentException>(() => PixelMetrics.Compute([broken]));
        Assert.Throws<ArgumentException>(() => PixelMetrics.Compute([turned]));
    }

    private static void AssertAreas(double[] expected, RegionOverlapCurve curve)
    {
        for (int i = 0; i < Limits.Length; i++)
            Assert.Equal(expected[i], curve.AreaUnder(Limits[i]), Rounding);
    }

    private static List<PixelSample> Samples(MetricsReference reference, int number, int[] maskCounts)
    {
        float[] scores = reference.Floats($"{number}.scores");
        byte[] masks = reference.Bytes($"{number}.masks");
        int[] sizes = reference.Integers($"{number}.sizes");
        (int nextScore, int nextMask) = (0, 0);
        var samples = new List<PixelSample>();
        for (int i = 0; i < maskCounts.Length; i++)
        {
            (int width, int height) = (sizes[2 * i], sizes[2 * i + 1]);
            var map = new AnomalyMap(width, height, scores[nextScore..(nextScore += width * height)]);
            var ofImage = new List<GreyImage>();
            for (int j = 0; j < maskCounts[i]; j++)
                ofImage.Add(new GreyImage(width, height, masks[nextMask..(nextMask += width * height)]));
            samples.Add(new PixelSample(map, ofImage));
        }
        return samples;
    }
}
