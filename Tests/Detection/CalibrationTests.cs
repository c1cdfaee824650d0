using EfficientAD.Detection;

namespace EfficientAD.Tests.Detection;

public class CalibrationTests
{
    [Fact]
    public void FewScores_TakeTheNormalQuantile()
    {
        // Mean 2, standard deviation sqrt(2.5); the normal distribution's 0.99 quantile lies 2.326348 deviations up.
        Calibration calibration = Calibration.FromGoodScores([0, 1, 2, 3, 4]);
        Assert.Equal(2 + 2.326348 * Math.Sqrt(2.5), calibration.Threshold, 1e-5);
        Assert.Equal(Math.Sqrt(2.5), calibration.Scale, 1e-6);
        Assert.Equal(5, calibration.Images);
    }

    [Fact]
    public void ThresholdOfAHandfulOfImages_IsCalledUncertain()
    {
        Assert.Contains("1 good image;", Calibration.FromGoodScores([1]).Caveat, StringComparison.Ordinal);
        Assert.NotNull(Calibration.FromGoodScores([1, 2, 3, 4, 5, 6, 7]).Caveat);
        Assert.Null(Calibration.FromGoodScores([1, 2, 3, 4, 5, 6, 7, 8]).Caveat);
        Assert.Null(new Calibration(1, 1, 0, Images: 0).Caveat);  // found by another program, who knows how
    }

    [Fact]
    public void ManyScoresWithATail_TakeTheEmpiricalQuantile()
    {
        // One in fifty good parts scores 100: the empirical 0.99 quantile sees them, the normal one falls short.
        float[] scores = [.. Enumerable.Range(0, 1000).Select(i => i % 50 == 0 ? 100f : 0f)];
        Assert.Equal(100, Calibration.FromGoodScores(scores).Threshold, 1e-4);
    }

    /// <summary>Parts that the networks know score no higher than others, so a threshold below theirs lets too many
    /// fail.</summary>
    [Fact]
    public void TailOfScoresThatWereTrainedOn_LiftsTheThreshold()
    {
        float[] aside = [0.1f, 0.2f, 0.15f, 0.3f];
        float[] seen = [.. Enumerable.Range(0, 101).Select(i => i < 98 ? 0.2f : 0.9f)];
        Calibration alone = Calibration.FromGoodScores(aside), with = Calibration.FromGoodScores(aside, seen: seen);
        Assert.InRange(alone.Threshold, 0.3f, 0.5f);
        Assert.Equal(0.9f, with.Threshold);
        Assert.Equal((alone.Scale, alone.Images), (with.Scale, with.Images));
    }

    /// <summary>The student knows these images: their scores vary as others do, a little lower.</summary>
    [Fact]
    public void TailOfLowerScoresThatWereTrainedOn_IsMovedUpToTheOthers()
    {
        float[] aside = [0.25f, 0.2f, 0.3f];
        float[] seen = [.. Enumerable.Range(0, 101).Select(i => i is 0 or 1 or 2 ? 0.9f : 0.9f * 0.2f * (i % 2))];
        double gap = 0.25 - seen.Average();
        Assert.InRange(gap, 0.1, 0.2);
        Assert.Equal(0.9 + gap, Calibration.FromGoodScores(aside, seen: seen).Threshold, 1e-6);
    }

    [Fact]
    public void LowScoresThatWereTrainedOn_DoNotLowerTheThreshold()
    {
        float[] aside = [0.1f, 0.2f, 0.15f, 0.3f], seen = [0.01f, 0.02f, 0.03f];
        Assert.Equal(Calibration.FromGoodScores(aside), Calibration.FromGoodScores(aside, seen: seen));
    }

    [Theory]
    [InlineData(0.01f, 100)]
    [InlineData(0.003f, 334)]
    [InlineData(0.5f, 2)]
    public void SmallShare_TakesManyImagesToSee(float rate, int images) =>
        Assert.Equal(images, Calibration.ImagesToResolve(rate));

    [Fact]
    public void EqualScores_StillGiveAPositiveScale()
    {
        Calibration calibration = Calibration.FromGoodScores([0.5f, 0.5f, 0.5f]);
        Assert.True(calibration.Scale > 0);
        Assert.True(calibration.Threshold >= 0.5f);
    }

    [Fact]
    public void Calibrate_IsMonotoneAndOneHalfAtTheThreshold()
    {
        Calibration calibration = Calibration.FromGoodScores([0.1f, 0.2f, 0.15f, 0.3f]);
        float[] calibrated = [.. Enumerable.Range(-50, 200).Select(i => calibration.Calibrate(0.01f * i))];
        Assert.Equal(calibrated.Order(), calibrated);
        Assert.All(calibrated, value => Assert.InRange(value, 0, 1));
        Assert.Equal(0.5f, calibration.Calibrate(calibration.Threshold));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-0.1f)]
    [InlineData(0.6f)]
    [InlineData(float.NaN)]
    public void RateOutOfRange_IsRefused(float rate) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Calibration.FromGoodScores([1, 2], rate));

    [Fact]
    public void ScoreThatIsNotFinite_IsRefused() =>
        Assert.Throws<ArgumentException>(() => Calibration.FromGoodScores([1, float.NaN]));

    [Fact]
    public void ScoreThatWasTrainedOnAndIsNotFinite_IsRefused() =>
        Assert.Throws<ArgumentException>(() => Calibration.FromGoodScores([1, 2], seen: [float.PositiveInfinity]));
}
