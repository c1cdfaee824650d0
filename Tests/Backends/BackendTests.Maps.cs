using EfficientAD.Tensors;

namespace EfficientAD.Tests.Backends;

public abstract partial class BackendTests
{
    [Theory, InlineData(1, 1, 1, 1), InlineData(2, 3, 5, 7), InlineData(1, 384, 12, 11)]
    public void SquaredDifferenceMap_MatchesPlainLoops(int n, int c, int h, int w)
    {
        HostTensor a = Random(new Shape(n, c, h, w), 0), b = Random(a.Shape, 1);
        Check(a, b);
        Check(a.WithNan(0), b);
        Check(a, b.WithNan(b.Values.Length - 1));

        void Check(HostTensor x, HostTensor y)
        {
            float[] map = Run(a.Shape with { C = 1 }, [x, y], (on, s, d) => on.SquaredDifferenceMap(s[0], s[1], d));
            TensorAssert.Close(
                PlainLosses.SquaredDifferenceMap(x, y).Values, map, 0, 4e-6, "a mean over up to 384 positive numbers");
        }
    }

    [Theory, InlineData(1, 1, 1, 1), InlineData(2, 3, 1, 7), InlineData(3, 1, 5, 2), InlineData(2, 1, 56, 61)]
    public void WeighPlaces_MatchesPlainLoops(int n, int c, int h, int w)
    {
        HostTensor maps = Random(new Shape(n, c, h, w), 0), weights = Random(new Shape(1, 1, h, w), 1);
        Check(maps);
        Check(maps.WithNan(maps.Values.Length - 1));  // reaches its neighbours, and no other plane

        void Check(HostTensor maps)
        {
            float[] result = Run(maps.Shape, [maps, weights], (on, s, d) => on.WeighPlaces(s[0], s[1], d));
            TensorAssert.Close(
                PlainLosses.WeighPlaces(maps, weights).Values, result, 2e-6, because: "nine products of at most 1");
        }
    }

    [Theory, InlineData(1, 1, 1), InlineData(3, 5, 7), InlineData(2, 200, 331)]
    public void CombineMaps_MatchesPlainLoops(int n, int h, int w)
    {
        HostTensor local = Random(new Shape(n, 1, h, w), 0).WithNan(0), global = Random(local.Shape, 1);
        global = global.WithNan(global.Values.Length - 1);
        HostTensor expected = local.Map(value => 0.75 * value - 0.125) + global.Map(value => 1.5 * value);
        float[] combined = Run(local.Shape, [local, global], (on, s, d) =>
            on.CombineMaps(s[0], s[1], 0.75f, 1.5f, -0.125f, d));
        TensorAssert.Close(expected.Values, combined, Few, because: FewRoundings);
    }

    [Theory, InlineData(1, 1, 1, 1, 1), InlineData(2, 3, 5, 7, 2)]
    [InlineData(1, 2, 4, 3, 0), InlineData(1, 1, 56, 56, 4)]
    public void Pad_SurroundsEveryPlane(int n, int c, int h, int w, int border)
    {
        HostTensor input = Random(new Shape(n, c, h, w), 0).WithNan(0);
        HostTensor expected = HostTensor.Filled(new Shape(n, c, h + 2 * border, w + 2 * border), 0.5);
        for (int plane = 0; plane < n * c; plane++)
            for (int y = 0; y < h; y++)
                for (int x = 0; x < w; x++)
                    expected[plane / c, plane % c, y + border, x + border] = input[plane / c, plane % c, y, x];
        float[] output = Run(expected.Shape, [input], (on, s, d) => on.Pad(s[0], border, 0.5f, d));
        TensorAssert.Close(expected.Values, output, 0, because: "nothing is computed");
    }

    [Theory, InlineData(1, 1, 1, 1), InlineData(3, 2, 5, 7), InlineData(2, 1, 200, 331)]
    public void Maximum_MatchesPlainLoops(int n, int c, int h, int w)
    {
        HostTensor input = Random(new Shape(n, c, h, w), 0).Map(value => value - 1.5); // all negative
        for (int i = 0; i < 9; i++)
        {
            // The largest value, then NaN, at the ends and in between: no vector lane or tail is left out.
            int index = (int)((input.Values.Length - 1L) * i / 8);
            HostTensor peak = input.Map(value => value), nan = input.WithNan(index);
            peak.Values[index] = -0.25;
            TensorAssert.Close(PlainLosses.Maximum(peak).Values, MaximumOf(peak), 0, because: "nothing is computed");
            TensorAssert.Close(PlainLosses.Maximum(nan).Values, MaximumOf(nan), 0, because: "NaN is never hidden");
        }

        float[] MaximumOf(HostTensor x) => Run(
            new Shape(n, 1, 1, 1), [x], (on, s, d) => on.Maximum(s[0], d));
    }
}
