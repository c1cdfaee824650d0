using System.Globalization;
using System.Reflection;
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

    /// <summary>What a checkpoint must agree with: a property that is forgotten would let a run go on by another
    /// rule.</summary>
    [Fact]
    public void Description_KnowsEveryProperty()
    {
        var options = new TrainingOptions { ModelPath = "m", Recipe = Recipe.Quick };
        foreach (PropertyInfo property in typeof(Recipe).GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            Recipe changed = Recipe.Quick with { };
            property.SetValue(changed, Another(property.GetValue(changed)!));
            Assert.True(
                options.Describe() != (options with { Recipe = changed }).Describe(),
                $"{property.Name} is not in the description.");
        }
    }

    [Fact]
    public void Description_DoesNotDependOnTheCulture()
    {
        var options = new TrainingOptions
        {
            ModelPath = "m",
            Recipe = Recipe.Quick,
            Duration = TimeSpan.FromSeconds(90),
        };
        CultureInfo before = CultureInfo.CurrentCulture;
        string expected = options.Describe();
        try
        {
            var german = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            german.NumberFormat.NumberDecimalSeparator = ",";
            CultureInfo.CurrentCulture = german;
            Assert.Equal(expected, options.Describe());
            Assert.Contains("1.5 minutes", expected, StringComparison.Ordinal);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    private static object Another(object value) => value switch
    {
        bool flag => !flag,
        int number => number + 1,
        float number => number + 0.125f,
        string text => text + "er",
        Enum choice => Enum.GetValues(choice.GetType()).Cast<object>().First(other => !other.Equals(choice)),
        _ => throw new NotSupportedException($"A property of {value.GetType()}: say how it changes."),
    };
}
