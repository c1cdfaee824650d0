using EfficientAD.Metrics;

namespace EfficientAD.Tests.Metrics;

public class RocCurveTests
{
    private const double Rounding = 1e-13;  // scikit-learn sums up to 200 trapezoids in doubles

    public static TheoryData<int> Cases => [0, 1, 2, 3, 4];

    [Theory, MemberData(nameof(Cases))]
    public void Curve_MatchesScikitLearn(int number)
    {
        using var reference = new MetricsReference("images");
        RocCurve curve = Compute(reference, number);
        RocPoint[] points = [.. curve.Points];

        Assert.Equal(reference.Doubles($"{number}.auroc")[0], curve.AreaUnderCurve, Rounding);
        Assert.Equal(reference.Doubles($"{number}.fpr"), points.Select(curve.FalsePositiveRate));
        Assert.Equal(reference.Doubles($"{number}.tpr"), points.Select(curve.TruePositiveRate));
        Assert.Equal(reference.Floats($"{number}.thresholds"), points.Skip(1).Select(point => point.Threshold));
    }

    [Theory, MemberData(nameof(Cases))]
    public void F1Maximum_MatchesScikitLearn(int number)
    {
        using var reference = new MetricsReference("images");
        F1Maximum best = F1Maximum.Compute(Compute(reference, number));

        Assert.Equal(reference.Doubles($"{number}.f1_max")[0], best.Value, Rounding);
        Assert.Equal(best.Value, 2 * best.Precision * best.Recall / (best.Precision + best.Recall), Rounding);
    }

    [Fact]
    public void Ties_CountOneHalf()
    {
        // Of the six pairs, 2 beats 1, ties with 2 and loses to 3; 3 beats 1 and 2 and ties with 3.
        RocCurve curve = RocCurve.Compute([1, 2, 3, 2, 3], [false, false, false, true, true])!;

        Assert.Equal((1 + 0.5 + 0 + 1 + 1 + 0.5) / 6, curve.AreaUnderCurve);
    }

    [Fact]
    public void F1Maximum_TakesTheHighestOfEqualThresholds()
    {
        // From 3 on: 1 of 2 found, no false alarm: F1 = 2/3. From 1 on: both found, two false alarms: 4/6.
        F1Maximum best = F1Maximum.Compute(RocCurve.Compute([3, 2, 2, 1], [true, false, false, true])!);

        Assert.Equal(new F1Maximum(2.0 / 3, 3, 1, 0.5), best);
    }

    [Fact]
    public void OneClassAlone_HasNoCurve()
    {
        Assert.Null(RocCurve.Compute([1, 2], [true, true]));
        Assert.Null(RocCurve.Compute([1, 2], [false, false]));
        Assert.Null(RocCurve.Compute([], []));
    }

    [Theory, InlineData(float.NaN), InlineData(float.PositiveInfinity)]
    public void NonFiniteScore_IsAnError(float score)
    {
        var error = Assert.Throws<ArgumentException>(() => RocCurve.Compute([1, score], [false, true]));
        Assert.Contains("Score 1 of 2", error.Message, StringComparison.Ordinal);
    }

    private static RocCurve Compute(MetricsReference reference, int number) => RocCurve.Compute(
        reference.Floats($"{number}.scores"), [.. reference.Bytes($"{number}.labels").Select(label => label == 1)])!;
}
