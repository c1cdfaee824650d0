using Xunit.Sdk;

namespace EfficientAD.Tests;

/// <summary>The comparisons can fail, and say where.</summary>
public class TensorAssertTests
{
    [Fact]
    public void Close_SaysHowManyDifferWhereAndBothValues()
    {
        var failure = Assert.Throws<FailException>(
            () => TensorAssert.Close([0f, 1f, 3f, 4f], [0f, 1.04f, 3.02f, 4.01f], 0.005, because: "why not"));
        Assert.Equal(
            "3 of 4 elements differ; worst at 1: expected 1, got 1.04; tolerated: 0.005 + 0 x |expected| (why not).",
            failure.Message);
    }

    [Theory]
    [InlineData(1.0, float.NaN), InlineData(double.NaN, 1f)]
    [InlineData(1.0, float.PositiveInfinity), InlineData(double.PositiveInfinity, float.NegativeInfinity)]
    public void Close_ToleratesNoValueThatIsNotFinite(double expected, float actual) =>
        Assert.Throws<FailException>(() => TensorAssert.Close([expected], [actual], 1e9, 1e9, "generous"));

    [Theory, InlineData(double.NaN, float.NaN), InlineData(double.NegativeInfinity, float.NegativeInfinity)]
    public void Close_TakesEqualValuesThatAreNotFinite(double expected, float actual) =>
        TensorAssert.Close([expected], [actual], 0, because: "they are the same");

    [Fact]
    public void SameBits_TellsZeroFromMinusZero() =>
        Assert.Throws<FailException>(() => TensorAssert.SameBits([0f, 1f], [-0f, 1f], "zeros"));

    [Fact]
    public void NanWhereExpected_FailsWhereNanIsHiddenOrNeverExpected()
    {
        TensorAssert.NanWhereExpected([double.NaN, 1], [float.NaN, float.NaN], "more NaN than needed");
        Assert.Throws<TrueException>(() => TensorAssert.NanWhereExpected([double.NaN, 1], [0f, float.NaN], "hidden"));
        Assert.Throws<TrueException>(() => TensorAssert.NanWhereExpected([0, 1], [0f, float.NaN], "none expected"));
    }
}
