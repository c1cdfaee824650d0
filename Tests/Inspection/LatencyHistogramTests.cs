using EfficientAD.Inspection;
using EfficientAD.Tensors;
using HdrHistogram;

namespace EfficientAD.Tests.Inspection;

public class LatencyHistogramTests
{
    public static TheoryData<double> Shares => [0, 0.001, 0.5, 0.9, 0.99, 0.999, 1];

    [Fact]
    public void FewValues_ComeOutExactly()
    {
        LatencyHistogram histogram = Of([3, 1, 2, 2047]);
        Assert.Equal(4, histogram.Count);
        Assert.Equal([1, 2, 3, 2047], new[] { 0.25, 0.5, 0.75, 1 }.Select(share => histogram.Quantile(share).Ticks));
        Assert.Equal(1, histogram.Quantile(0).Ticks);
        Assert.Equal(3, histogram.Quantile(0.51).Ticks);
        Assert.Equal((3 + 1 + 2 + 2047) / 4, histogram.Mean.Ticks);
    }

    /// <remarks>1,000 values, so that no share asked for falls between two of them, where the two round
    /// differently.</remarks>
    [Theory, MemberData(nameof(Shares))]
    public void Quantiles_EqualThoseOfHdrHistogram(double share)
    {
        var random = new CounterRandom(5, 0);
        long[] values = [.. Enumerable.Range(0, 1000).Select(i => (long)Math.Exp(random.Uniform((ulong)i, 0, 23)))];
        var witness = new LongHistogram(1, 1L << 34, 3);
        foreach (long value in values) witness.RecordValue(value);
        long expected = Math.Min(witness.GetValueAtPercentile(100 * share), values.Max());
        Assert.Equal(expected, Of(values).Quantile(share).Ticks);
    }

    [Fact]
    public void Quantiles_AreNeverTooGoodAndWithinAThousandth()
    {
        var random = new CounterRandom(6, 0);
        long[] sorted =
            [.. Enumerable.Range(0, 777).Select(i => (long)Math.Exp(random.Uniform((ulong)i, 0, 23))).Order()];
        LatencyHistogram histogram = Of(sorted);
        for (int i = 0; i < sorted.Length; i++)
        {
            long actual = histogram.Quantile((i + 1.0) / sorted.Length - 1e-9).Ticks;
            Assert.InRange(actual, sorted[i], sorted[i] + sorted[i] / 1000);
        }
    }

    [Fact]
    public void ValuesBeyondBothEnds_AreCounted()
    {
        var histogram = new LatencyHistogram();
        histogram.Record(TimeSpan.FromSeconds(-1));
        histogram.Record(TimeSpan.FromDays(1));
        Assert.Equal(2, histogram.Count);
        Assert.Equal(TimeSpan.Zero, histogram.Quantile(0.5));
        Assert.Equal(LatencyHistogram.Longest, histogram.Quantile(1));
        Assert.Equal(TimeSpan.FromDays(1), histogram.Maximum);
    }

    [Fact]
    public void Add_IsAsIfAllHadBeenRecordedInOne()
    {
        LatencyHistogram one = Of([1, 20, 300_000]), all = Of([1, 20, 300_000, 5, 7_000_000]);
        one.Add(Of([5, 7_000_000]));
        Assert.Equal((all.Count, all.Mean, all.Maximum), (one.Count, one.Mean, one.Maximum));
        Assert.All(Enumerable.Range(0, 11), i => Assert.Equal(all.Quantile(0.1 * i), one.Quantile(0.1 * i)));
    }

    [Fact]
    public void Empty_IsZeroThroughout()
    {
        var histogram = new LatencyHistogram();
        Assert.Equal(default, (histogram.Quantile(0.5), histogram.Mean, histogram.Maximum));
    }

    [Theory, InlineData(-0.1), InlineData(1.1), InlineData(double.NaN)]
    public void ShareOutOfRange_IsRefused(double share) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Of([1]).Quantile(share));

    private static LatencyHistogram Of(IEnumerable<long> ticks)
    {
        var histogram = new LatencyHistogram();
        foreach (long value in ticks) histogram.Record(new TimeSpan(value));
        return histogram;
    }
}
