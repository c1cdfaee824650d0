using EfficientAD.Metrics;
using EfficientAD.Tensors;

namespace EfficientAD.Tests.Metrics;

public class ScoreKeysTests
{
    [Fact]
    public void Keys_HaveTheOrderOfTheScores()
    {
        float[] rising = [float.MinValue, -2, -1.5f, -float.Epsilon, 0, float.Epsilon, 0.5f, 1, 3e30f, float.MaxValue];

        Assert.Equal(rising.Length, rising.Select(ScoreKeys.Of).Distinct().Count());
        Assert.Equal(rising, rising.OrderBy(ScoreKeys.Of));
        Assert.Equal(ScoreKeys.Of(0f), ScoreKeys.Of(-0f));
    }

    [Theory, InlineData(0), InlineData(1), InlineData(2), InlineData(5000)]
    public void Sort_MatchesArraySort(int count)
    {
        var random = new CounterRandom(1, 2);
        uint[] keys = [.. Enumerable.Range(0, count).Select(i => random.Bits((ulong)i))];
        uint[] expected = [.. keys.Order()];

        ScoreKeys.Sort(keys, new uint[count]);

        Assert.Equal(expected, keys);
    }

    [Fact]
    public void Of_ManyScoresEqualsOneByOne()
    {
        float[] scores = [.. Enumerable.Range(-50, 101).Select(i => i * 0.37f), -0f, float.MinValue, float.MaxValue];
        var keys = new uint[scores.Length + 1];

        ScoreKeys.Of(scores, keys);

        Assert.Equal([.. scores.Select(ScoreKeys.Of), 0], keys);
    }

    [Theory]
    [InlineData(0, 0), InlineData(1, 2), InlineData(4, 3), InlineData(5, 6), InlineData(9, 7), InlineData(10, 7)]
    public void CountUpTo_CountsKeysNotAbove(uint key, int count) =>
        Assert.Equal(count, ScoreKeys.CountUpTo([1, 1, 2, 5, 5, 5, 9], key));

    [Fact]
    public void Distinct_KeepsOneOfEach()
    {
        uint[] sorted = [1, 1, 2, 5, 5, 5, 9];

        Assert.Equal(4, ScoreKeys.Distinct(sorted));
        Assert.Equal([1u, 2, 5, 9], sorted[..4]);
    }
}
