using EfficientAD.Training;

namespace EfficientAD.Tests.Training;

public class RecipeTests
{
    [Theory]
    [InlineData(0, 1e-4f)]
    [InlineData(66_499, 1e-4f)]
    [InlineData(66_500, 1e-5f)]
    [InlineData(69_999, 1e-5f)]
    public void ReferenceRate_FallsToATenthAt95Percent(int step, float expected) =>
        Assert.Equal(expected, Recipe.Reference.LearningRateAt(step, 70_000), 1e-10f);

    [Fact]
    public void QuickRate_RisesOverTheFirstTwentiethAndFallsToAHundredth()
    {
        Recipe quick = Recipe.Quick;
        float[] rates = [.. Enumerable.Range(0, 400).Select(step => quick.LearningRateAt(step, 400))];
        int peak = Array.IndexOf(rates, rates.Max());
        Assert.Equal(20, peak);
        Assert.Equal(quick.LearningRate, rates[peak], 1e-7f);
        Assert.Equal(rates[..21].Order(), rates[..21]);
        Assert.Equal(rates[20..].OrderDescending(), rates[20..]);
        Assert.InRange(rates[^1], 0.01f * quick.LearningRate, 0.011f * quick.LearningRate);
    }

    [Fact]
    public void UnknownName_ListsTheKnownOnes()
    {
        var unknown = Assert.Throws<ArgumentException>(() => Recipe.Named("fast"));
        Assert.Contains("quick", unknown.Message, StringComparison.Ordinal);
    }
}
