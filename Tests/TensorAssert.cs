using System.Globalization;

namespace EfficientAD.Tests;

/// <summary>Comparisons of many values that say how many differ, where the worst one lies, and both values.</summary>
internal static class TensorAssert
{
    /// <summary>Every value lies within absolute + relative * |expected|; NaN equals NaN, an infinity itself.</summary>
    /// <param name="because">Where the tolerance comes from.</param>
    public static void Close(
        ReadOnlySpan<double> expected, ReadOnlySpan<float> actual,
        double absolute, double relative = 0, string because = "")
    {
        Assert.True(expected.Length == actual.Length, $"{expected.Length} values are expected, not {actual.Length}.");
        int differing = 0, worst = 0;
        double worstExcess = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            double excess = Excess(expected[i], actual[i], absolute + relative * Math.Abs(expected[i]));
            if (excess <= 0) continue;
            differing++;
            if (excess > worstExcess) (worst, worstExcess) = (i, excess);
        }

        if (differing == 0) return;
        Assert.Fail(string.Create(
            CultureInfo.InvariantCulture,
            $"{differing} of {expected.Length} elements differ; worst at {worst}: " +
            $"expected {expected[worst]:R}, got {actual[worst]:R}; " +
            $"tolerated: {absolute:G3} + {relative:G3} x |expected| ({because})."));
    }

    /// <inheritdoc cref="Close(ReadOnlySpan{double}, ReadOnlySpan{float}, double, double, string)"/>
    public static void Close(
        ReadOnlySpan<float> expected, ReadOnlySpan<float> actual,
        double absolute, double relative = 0, string because = "")
    {
        var wide = new double[expected.Length];
        for (int i = 0; i < wide.Length; i++) wide[i] = expected[i];
        Close(wide, actual, absolute, relative, because);
    }

    /// <summary>Every value has the same 32 bits.</summary>
    public static void SameBits(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, string what)
    {
        Assert.True(
            expected.Length == actual.Length, $"{what}: {expected.Length} values are expected, not {actual.Length}.");
        int differing = 0, first = 0;
        for (int i = expected.Length - 1; i >= 0; i--)
            if (BitConverter.SingleToInt32Bits(expected[i]) != BitConverter.SingleToInt32Bits(actual[i]))
                (differing, first) = (differing + 1, i);
        if (differing == 0) return;
        Assert.Fail(string.Create(
            CultureInfo.InvariantCulture,
            $"{what}: {differing} of {expected.Length} elements differ in their bits; first at {first}: " +
            $"expected {expected[first]:R}, got {actual[first]:R}."));
    }

    /// <summary>Wherever NaN is expected there is NaN, and somewhere it is expected.</summary>
    public static void NanWhereExpected(ReadOnlySpan<double> expected, ReadOnlySpan<float> actual, string what)
    {
        int wanted = 0, hidden = 0, first = 0;
        for (int i = expected.Length - 1; i >= 0; i--)
        {
            if (!double.IsNaN(expected[i])) continue;
            wanted++;
            if (!float.IsNaN(actual[i])) (hidden, first) = (hidden + 1, i);
        }

        Assert.True(wanted > 0, $"{what}: the test expects NaN nowhere.");
        Assert.True(hidden == 0, $"{what}: {hidden} of {wanted} elements hide NaN; first at {first}: {actual[first]}.");
    }

    private static double Excess(double expected, float actual, double tolerance)
    {
        if (expected.Equals(actual)) return 0; // equal, both NaN, or the same infinity
        double difference = Math.Abs(expected - actual);
        return double.IsFinite(difference) ? difference - tolerance : double.PositiveInfinity;
    }
}
