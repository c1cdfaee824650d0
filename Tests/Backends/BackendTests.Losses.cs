using EfficientAD.Backends;
using EfficientAD.Tensors;

namespace EfficientAD.Tests.Backends;

public abstract partial class BackendTests
{
    private static readonly Shape Number = new(1, 1, 1, 1);

    /// <summary>n, c, h, w, levels (0: continuous; else multiples of 1 / levels, so that there are ties), q.</summary>
    public static TheoryData<int, int, int, int, int, float> Quantiles => new()
    {
        { 1, 1, 1, 1, 0, 0.5f },      // smallest
        { 2, 1, 1, 2, 0, 0.25f },
        { 3, 2, 3, 5, 0, 0.999f },    // nothing divides anything
        { 2, 3, 7, 11, 3, 0.9f },     // ties
        { 2, 1, 5, 5, 1, 0.5f },      // nearly all equal
        { 1, 1, 10, 10, 0, 0 },       // the minimum
        { 1, 1, 10, 10, 0, 1 },       // the maximum
        { 1, 1, 1, 11, 0, 0.5f },     // exactly an element
        { 1, 24, 56, 56, 0, 0.999f }, // the hard-feature loss
        { 2, 8, 56, 56, 5, 0.995f },  // the quantiles of maps
    };

    [Theory, MemberData(nameof(Quantiles))]
    public void Quantile_MatchesSorting(int n, int c, int h, int w, int levels, float q)
    {
        HostTensor values = Levelled(Random(new Shape(n, c, h, w), 0), levels);
        float[] output = QuantileOf(values);
        TensorAssert.Close(
            PlainLosses.Quantiles(values, q).Values, output, 1e-6,
            because: "position and interpolation in float or double");

        float[] large = QuantileOf(values.Map(value => (float)(value * 1e30)));
        TensorAssert.Close(
            output.Select(value => value * 1e30).ToArray(), large, 1e24, because: "the same with values far from 1");

        HostTensor nan = values.WithNan(values.Values.Length - 1);
        float[] withNan = QuantileOf(nan);
        TensorAssert.NanWhereExpected(PlainLosses.Quantiles(nan, q).Values, withNan, "Quantile");
        TensorAssert.SameBits(output.AsSpan(0, n - 1), withNan.AsSpan(0, n - 1), "samples without NaN");

        float[] QuantileOf(HostTensor x) => Run(
            new Shape(n, 1, 1, 1), [x], (on, s, d) => on.Quantile(s[0], q, d));
    }

    [Theory, InlineData(0.5f), InlineData(0.0f)]
    public void Quantile_OrdersInfinitiesAndZeros(float q)
    {
        var values = new HostTensor(
            new Shape(1, 1, 1, 5), [double.PositiveInfinity, -0.0, double.NegativeInfinity, 0, 3]);
        float[] output = Run(Number, [values], (on, s, d) => on.Quantile(s[0], q, d));
        Assert.Equal(q == 0 ? float.NegativeInfinity : 0, output[0]);
    }

    [Theory, InlineData(1, 1, 1, 1), InlineData(2, 3, 5, 7), InlineData(1, 48, 56, 57)]
    public void MeanSquaredError_MatchesPlainLoops(int n, int c, int h, int w)
    {
        HostTensor a = Random(new Shape(n, c, h, w), 0), b = Random(a.Shape, 1);
        const string Because = "a mean of positive numbers, summed in blocks or in double";
        float[] loss = Run(Number, [a, b], (on, s, d) => on.MeanSquaredError(s[0], s[1], d));
        TensorAssert.Close([PlainLosses.MeanSquaredError(a, b)], loss, 0, 1e-6, Because);
        loss = Run(Number, [a], (on, s, d) => on.MeanSquaredError(s[0], null, d));
        TensorAssert.Close([PlainLosses.MeanSquaredError(a, null)], loss, 0, 1e-6, Because);

        foreach ((HostTensor x, HostTensor y) in new[] { (a.WithNan(a.Values.Length - 1), b), (a, b.WithNan(0)) })
            Assert.True(float.IsNaN(Run(Number, [x, y], (on, s, d) => on.MeanSquaredError(s[0], s[1], d))[0]));
    }

    [Theory, InlineData(1, 1, 1, 1), InlineData(2, 3, 5, 7), InlineData(1, 24, 51, 57)]
    public void MeanSquaredErrorBackward_AccumulatesWhatPlainLoopsGive(int n, int c, int h, int w)
    {
        HostTensor a = Random(new Shape(n, c, h, w), 0).WithNan(0), b = Random(a.Shape, 1);
        HostTensor loss = HostTensor.Filled(Number, 0.75);
        HostTensor initialA = HostTensor.Random(a.Shape, 77, 1);
        HostTensor initialB = HostTensor.Random(a.Shape, 77, 2);
        HostTensor gradient = PlainLosses.MeanSquaredErrorBackward(a, b, 0.75);
        float[][] both = Run([a, b, loss], [initialA, initialB], (on, s, d) =>
            on.MeanSquaredErrorBackward(s[0], s[1], s[2], d[0], d[1]));
        TensorAssert.Close((initialA + gradient).Values, both[0], Few, because: FewRoundings);
        TensorAssert.Close((initialB + gradient.Map(value => -value)).Values, both[1], Few, because: FewRoundings);

        float[] onlyA = Run([a, b, loss], [initialA], (on, s, d) =>
            on.MeanSquaredErrorBackward(s[0], s[1], s[2], d[0], null))[0];
        float[] onlyB = Run([a, b, loss], [initialB], (on, s, d) =>
            on.MeanSquaredErrorBackward(s[0], s[1], s[2], null, d[0]))[0];
        TensorAssert.SameBits(both[0], onlyA, "the gradient of a alone");
        TensorAssert.SameBits(both[1], onlyB, "the gradient of b alone");

        float[] square = Run([a, loss], [initialA], (on, s, d) =>
            on.MeanSquaredErrorBackward(s[0], null, s[1], d[0], null))[0];
        TensorAssert.Close(
            (initialA + PlainLosses.MeanSquaredErrorBackward(a, null, 0.75)).Values, square, Few,
            because: FewRoundings);
    }

    [Theory, MemberData(nameof(Quantiles))]
    public void HardFeatureLoss_MatchesPlainLoops(int n, int c, int h, int w, int levels, float q)
    {
        var shape = new Shape(n, c, h, w);
        HostTensor teacher = Levelled(Random(shape, 0), levels), student = Levelled(Random(shape, 1), levels);
        HostTensor lossGradient = HostTensor.Filled(Number, 0.75);
        (double loss, HostTensor thresholds, HostTensor gradient) =
            PlainLosses.HardFeatureLoss(teacher, student, q, 0.75);
        float[][] forward = Run(
            [teacher, student], [HostTensor.Unwritten(thresholds.Shape), HostTensor.Unwritten(Number)], (on, s, d) =>
                on.HardFeatureLoss(s[0], s[1], q, d[0], d[1]));
        TensorAssert.Close(
            thresholds.Values, forward[0], 2e-6, because: "the quantile of squares below 4, each rounded twice");
        TensorAssert.Close([loss], forward[1], 0, 1e-6, "a mean of positive numbers");

        var measured = HostTensor.FromFloats(thresholds.Shape, forward[0]);
        (HostTensor initial, float[] result) = Accumulate(
            shape, [teacher, student, measured, lossGradient],
            (on, s, d) => on.HardFeatureLossBackward(s[0], s[1], s[2], s[3], d));
        TensorAssert.Close((initial + gradient).Values, result, Few, 1e-6, FewRoundings);
    }

    [Fact]
    public void HardFeatureLoss_HidesNoNan()
    {
        HostTensor teacher = Random(new Shape(2, 3, 5, 7), 0), student = Random(teacher.Shape, 1);
        Check(teacher.WithNan(100), student);
        Check(teacher, student.WithNan(3));

        void Check(HostTensor a, HostTensor b)
        {
            float[][] forward = Run(
                [a, b], [HostTensor.Unwritten(new Shape(2, 1, 1, 1)), HostTensor.Unwritten(Number)],
                (on, s, d) => on.HardFeatureLoss(s[0], s[1], 0.9f, d[0], d[1]));
            HostTensor expected = PlainLosses.HardFeatureLoss(a, b, 0.9f, 1).Thresholds;
            TensorAssert.NanWhereExpected(expected.Values, forward[0], "threshold");
            Assert.True(float.IsNaN(forward[1][0]), "The loss hides NaN.");

            var thresholds = HostTensor.FromFloats(new Shape(2, 1, 1, 1), forward[0]);
            (_, float[] gradient) = Accumulate(a.Shape, [a, b, thresholds, HostTensor.Filled(Number, 1)], (on, s, d) =>
                on.HardFeatureLossBackward(s[0], s[1], s[2], s[3], d));
            Assert.Contains(gradient, float.IsNaN);
        }
    }

    [Theory, InlineData(1, 1, 1, 1, 0, 1), InlineData(3, 5, 4, 7, 0, 1)]
    [InlineData(2, 3, 33, 31, 1000, 1), InlineData(1, 2, 9, 9, -20000, 0.01)] // E[x^2] - E[x]^2 would lose the digits
    public void ChannelMoments_MatchPlainLoops(int n, int c, int h, int w, double offset, double scale)
    {
        HostTensor input = Random(new Shape(n, c, h, w), 0).Map(value => (float)(offset + scale * value));
        var expectedMean = new double[c];
        var expectedDeviations = new double[c];
        for (int pass = 0; pass < 2; pass++)
            for (int i = 0; i < input.Values.Length; i++)
            {
                int channel = i / input.Shape.Plane % c;
                double value = input.Values[i], count = (double)n * h * w;
                if (pass == 0) expectedMean[channel] += value / count;
                else expectedDeviations[channel] += (value - expectedMean[channel]) * (value - expectedMean[channel]);
            }

        double[] mean = new double[c], deviations = new double[c];
        Run([input], [], (on, s, _) => on.ChannelMoments(s[0], mean, deviations));
        for (int channel = 0; channel < c; channel++)
        {
            // Rounding in double, with room for sums in another order; a mean in float would be off by 1e-7.
            Assert.Equal(expectedMean[channel], mean[channel], 1e-12 * (Math.Abs(offset) + 1));
            Assert.Equal(expectedDeviations[channel], deviations[channel], 1e-9 * expectedDeviations[channel] + 1e-300);
        }

        Run([input.WithNan(0)], [], (on, s, _) => on.ChannelMoments(s[0], mean, deviations));
        Assert.True(double.IsNaN(mean[0]) && double.IsNaN(deviations[0]));
        Assert.False(c > 1 && double.IsNaN(mean[1]));
    }

    [Theory, InlineData(1, 0f, 1), InlineData(1013, 1e-5f, 1), InlineData(70_001, 0.01f, 70_000)]
    public void Adam_MatchesPlainLoops(int count, float weightDecay, int step)
    {
        Shape shape = Shape.Vector(count);
        var settings = new AdamSettings(1e-3f, weightDecay);
        HostTensor gradient = Random(shape, 0).WithNan(count - 1), first = Random(shape, 1, 0.1);
        HostTensor second = Random(shape, 2, 0.1).Map(value => Math.Abs(value) + 1e-4), parameter = Random(shape, 3);
        float[][] updated = Run([gradient], [first, second, parameter], (on, s, d) =>
            on.Adam(s[0], settings, step, d[0], d[1], d[2]));

        HostTensor m = first.Map(v => v), v = second.Map(v => v), p = parameter.Map(v => v);
        PlainLosses.Adam(gradient, settings, step, m, v, p);
        TensorAssert.Close(m.Values, updated[0], 1e-7, 1e-6, FewRoundings);
        TensorAssert.Close(v.Values, updated[1], 0, 1e-6, FewRoundings);
        TensorAssert.Close(p.Values, updated[2], 2e-7, because: "one rounding of values below 1");
    }

    [Fact]
    public void Adam_WithoutGradientAndDecay_ChangesNothing()
    {
        HostTensor zero = new(Shape.Vector(37)), parameter = Random(zero.Shape, 0);
        float[][] updated = Run([zero], [zero, zero, parameter], (on, s, d) =>
            on.Adam(s[0], new AdamSettings(1e-3f, 0), 1, d[0], d[1], d[2]));
        TensorAssert.SameBits(parameter.ToFloats(), updated[2], "the parameter");
    }

    [Fact]
    public void AdamOfSeveral_HasTheBitsOfEachAndClearsGradients()
    {
        var settings = new AdamSettings(1e-3f, 1e-5f);
        HostTensor[] small = Tensors(3), large = Tensors(5000);
        float[][] together = Run([], [.. small, .. large], (on, _, d) =>
            on.Adam([new(d[0], d[1], d[2], d[3]), new(d[4], d[5], d[6], d[7])], settings, 3));
        float[][] apart = [.. Single(small), .. Single(large)];
        for (int i = 0; i < apart.Length; i++) TensorAssert.SameBits(apart[i], together[i], $"tensor {i}");
        Assert.All(together[4], gradient => Assert.Equal(0, gradient));

        float[][] Single(HostTensor[] tensors) => Run([], tensors, (on, _, d) =>
        {
            on.Adam(d[0], settings, 3, d[1], d[2], d[3]);
            on.Fill(0, d[0]);
        });

        static HostTensor[] Tensors(int count)
        {
            Shape shape = Shape.Vector(count);
            HostTensor positive = Random(shape, 2, 0.1).Map(value => Math.Abs(value) + 1e-4);
            return [Random(shape, 0), Random(shape, 1, 0.1), positive, Random(shape, 3)];
        }
    }

    private static HostTensor Levelled(HostTensor tensor, int levels) =>
        levels == 0 ? tensor : tensor.Map(value => Math.Floor(value * levels) / levels).Map(value => (float)value);
}
