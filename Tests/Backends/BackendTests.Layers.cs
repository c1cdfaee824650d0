using EfficientAD.Imaging;
using EfficientAD.Tensors;

namespace EfficientAD.Tests.Backends;

public abstract partial class BackendTests
{
    public static TheoryData<int, int, int, int, int> Pools => new()
    {
        { 1, 1, 2, 2, 0 },     // smallest
        { 1, 1, 1, 1, 1 },     // one value among three zeros
        { 2, 3, 5, 7, 0 },     // a row and a column dropped
        { 2, 3, 5, 7, 1 },
        { 1, 2, 4, 6, 1 },
        { 1, 16, 61, 123, 0 }, // the PDN's width
        { 1, 16, 33, 67, 1 },
    };

    [Theory, MemberData(nameof(Pools))]
    public void AveragePool2d_MatchesPlainLoops(int n, int c, int h, int w, int padding)
    {
        HostTensor input = Random(new Shape(n, c, h, w), 0);
        Shape pooled = PlainLayers.PooledShape(input.Shape, padding);
        foreach (HostTensor x in new[] { input, input.WithNan(0) })
        {
            float[] output = Run(pooled, [x], (on, s, d) => on.AveragePool2d(s[0], padding, d));
            TensorAssert.Close(PlainLayers.AveragePool2d(x, padding).Values, output, Few, because: FewRoundings);
        }
    }

    [Theory, MemberData(nameof(Pools))]
    public void AveragePool2dBackward_AccumulatesWhatPlainLoopsGive(int n, int c, int h, int w, int padding)
    {
        var shape = new Shape(n, c, h, w);
        HostTensor gradient = Random(PlainLayers.PooledShape(shape, padding), 0);
        foreach (HostTensor g in new[] { gradient, gradient.WithNan(0) })
        {
            (HostTensor initial, float[] result) = Accumulate(
                shape, [g], (on, s, d) => on.AveragePool2dBackward(s[0], padding, d));
            TensorAssert.Close(
                (initial + PlainLayers.AveragePool2dBackward(g, padding, shape)).Values, result, Few,
                because: FewRoundings);
        }
    }

    public static TheoryData<int, int, int, int, int, int> Resizes => new()
    {
        { 1, 1, 1, 1, 1, 1 },      // smallest
        { 1, 3, 1, 1, 3, 3 },      // the decoder's first: a constant
        { 2, 3, 5, 7, 11, 13 },    // nothing divides anything
        { 2, 3, 5, 7, 5, 7 },      // nothing changes
        { 1, 2, 12, 7, 3, 20 },    // shrinks one way, grows the other
        { 1, 8, 33, 33, 63, 63 },  // the decoder
        { 1, 4, 128, 128, 56, 56 },// the decoder's last step, which shrinks
        { 1, 1, 56, 56, 100, 131 },
    };

    private const string ResizeReason = "a source coordinate of up to 128 in float, times a difference of at most 2";
    private const double ResizeTolerance = 4e-5;

    [Theory, MemberData(nameof(Resizes))]
    public void ResizeBilinear_MatchesPlainLoops(int n, int c, int h, int w, int toH, int toW)
    {
        HostTensor input = Random(new Shape(n, c, h, w), 0);
        float[] output = Resize(input);
        TensorAssert.Close(
            PlainLayers.ResizeBilinear(input, toH, toW).Values, output, ResizeTolerance, because: ResizeReason);
        if ((h, w) == (toH, toW)) TensorAssert.SameBits(input.ToFloats(), output, "a resize to the same size");

        // Where it shrinks, some values reach no output: take one that does.
        HostTensor reach = PlainLayers.ResizeBilinearBackward(
            HostTensor.Filled(input.Shape with { H = toH, W = toW }, 1), input.Shape);
        HostTensor nan = input.WithNan(Array.FindLastIndex(reach.Values, weight => weight > 0));
        HostTensor expected = PlainLayers.ResizeBilinear(nan, toH, toW);
        TensorAssert.NanWhereExpected(expected.Values, Resize(nan), "ResizeBilinear");

        float[] Resize(HostTensor x) => Run(
            x.Shape with { H = toH, W = toW }, [x], (on, s, d) => on.ResizeBilinear(s[0], d));
    }

    [Theory, MemberData(nameof(Resizes))]
    public void ResizeBilinearBackward_AccumulatesWhatPlainLoopsGive(int n, int c, int h, int w, int toH, int toW)
    {
        var shape = new Shape(n, c, h, w);
        HostTensor gradient = HostTensor.Random(shape with { H = toH, W = toW }, 1, 0);
        (HostTensor initial, float[] result) = Backward(gradient);
        HostTensor expected = initial + PlainLayers.ResizeBilinearBackward(gradient, shape);
        TensorAssert.Close(expected.Values, result, ResizeTolerance, because: ResizeReason);

        HostTensor nan = gradient.WithNan(gradient.Values.Length / 2);
        TensorAssert.NanWhereExpected(
            PlainLayers.ResizeBilinearBackward(nan, shape).Values, Backward(nan).Result, "ResizeBilinearBackward");

        (HostTensor Initial, float[] Result) Backward(HostTensor g) => Accumulate(
            shape, [g], (on, s, d) => on.ResizeBilinearBackward(s[0], d));
    }

    [Theory]
    [InlineData(1, 1, 1, 1, 0.25f, -4.125f, 1, 3)]      // smallest: all of it outside
    [InlineData(2, 3, 5, 7, 0.6f, -1.7f, 11, 13)]       // nothing divides anything
    [InlineData(1, 1, 56, 56, 0.25f, -4.125f, 256, 131)] // a map of the network's, aligned with its input
    public void ResampleBilinear_MatchesPlainLoops(
        int n, int c, int h, int w, float scale, float offset, int toH, int toW)
    {
        HostTensor input = Random(new Shape(n, c, h, w), 0);
        float[] output = Run(input.Shape with { H = toH, W = toW }, [input], (on, s, d) =>
            on.ResampleBilinear(s[0], scale, offset, 1.25f * scale, offset - 0.5f, d));
        HostTensor expected = PlainLayers.ResampleBilinear(
            input, scale, offset, 1.25f * scale, offset - 0.5f, toH, toW);
        TensorAssert.Close(expected.Values, output, ResizeTolerance, because: ResizeReason);
    }

    [Theory, InlineData(1, 0f), InlineData(1, 0.2f), InlineData(1011, 0.2f), InlineData(70_001, 0.5f)]
    [InlineData(4096, 0.3f)] // on boundaries of 16 bytes: four values at a time
    public void Dropout_DropsWhatTheCounterSays(int count, float rate)
    {
        // A count that four does not divide, over samples and planes: the index runs over all of them.
        var shape = new Shape(count % 3 == 0 ? 3 : 1, 1, 1, count % 3 == 0 ? count / 3 : count);
        var random = new CounterRandom(123456789012345, 9876543210987);
        HostTensor input = Random(shape, 0).Map(value => value + 2); // never zero
        float[] output = Run(shape, [input], (on, s, d) => on.Dropout(s[0], rate, random, d));
        HostTensor expected = PlainLayers.Dropout(input, rate, random);
        TensorAssert.Close(expected.Values, output, 0, Few, FewRoundings);

        (HostTensor initial, float[] gradient) = Accumulate(
            shape, [input], (on, s, d) => on.DropoutBackward(s[0], rate, random, d));
        TensorAssert.Close((initial + expected).Values, gradient, Few, Few, FewRoundings);

        int kept = Array.FindIndex(output, value => value != 0);
        if (kept < 0) return;
        HostTensor nan = input.WithNan(kept);
        output = Run(shape, [nan], (on, s, d) => on.Dropout(s[0], rate, random, d));
        (_, gradient) = Accumulate(shape, [nan], (on, s, d) => on.DropoutBackward(s[0], rate, random, d));
        Assert.True(float.IsNaN(output[kept]) && float.IsNaN(gradient[kept]));
    }

    [Theory, InlineData(1, 1, 1, 1), InlineData(2, 3, 5, 7), InlineData(1, 384, 11, 13)]
    public void NormalizeChannels_MatchesPlainLoops(int n, int c, int h, int w)
    {
        HostTensor input = Random(new Shape(n, c, h, w), 0);
        HostTensor mean = Random(Shape.Vector(c), 1);
        HostTensor deviation = Random(Shape.Vector(c), 2).Map(v => Math.Abs(v) + 0.25);
        Check(input, mean, deviation);
        Check(input.WithNan(0), mean, deviation);
        Check(input, mean.WithNan(c / 2), deviation);
        Check(input, mean, deviation.WithNan(c / 2));

        void Check(HostTensor x, HostTensor center, HostTensor spread)
        {
            float[] output = Run(x.Shape, [x, center, spread], (on, s, d) => on.NormalizeChannels(s[0], s[1], s[2], d));
            TensorAssert.Close(PlainLayers.NormalizeChannels(x, center, spread).Values, output, Few, Few, FewRoundings);
        }
    }

    [Fact]
    public void Preprocess_NormalisesWithImageNetsStatistics()
    {
        // A uniform colour stays what it is through resize and crop; other tests compare the resize with Pillow's.
        byte[] pixels = [.. Enumerable.Repeat<byte[]>([255, 0, 51], 40 * 30).SelectMany(pixel => pixel)];
        var shape = new Shape(1, 3, 17, 19);
        float[] output = Run(shape, [], (on, _, d) =>
            on.Preprocess(new ImageView(pixels, 40, 30, 120, PixelFormat.Bgr24), ColourAdjustment.None, 20, 24, d));
        var expected = new HostTensor(shape);
        for (int i = 0; i < expected.Values.Length; i++)
            expected.Values[i] = (i / shape.Plane) switch
            {
                0 => (0.2 - 0.485) / 0.229,
                1 => (0 - 0.456) / 0.224,
                _ => (1 - 0.406) / 0.225,
            };
        TensorAssert.Close(expected.Values, output, 1e-6, because: "three float operations on values below 3");
    }
}
