using EfficientAD.Backends;
using EfficientAD.Tensors;

namespace EfficientAD.Tests.Backends;

public abstract partial class BackendTests
{
    public static TheoryData<ConvolutionCase> Convolutions => new(ConvolutionCase.All);

    [Theory, MemberData(nameof(Convolutions))]
    public void Convolution2d_MatchesPlainLoops(ConvolutionCase c)
    {
        double tolerance = ConvolutionRounding(c.FanIn, c.WeightScale);
        float[] output = Run(c.OutputShape, [c.Input, c.Weights, c.Bias], (on, s, d) =>
            on.Convolution2d(s[0], s[1], s[2], c.Geometry, c.Relu, d));
        HostTensor expected = PlainConvolution2d.Forward(c.Input, c.Weights, c.Bias, c.Geometry, c.Relu);
        TensorAssert.Close(expected.Values, output, tolerance, because: RoundingReason);

        output = Run(c.OutputShape, [c.Input, c.Weights], (on, s, d) =>
            on.Convolution2d(s[0], s[1], null, c.Geometry, relu: false, d));
        expected = PlainConvolution2d.Forward(c.Input, c.Weights, null, c.Geometry, relu: false);
        TensorAssert.Close(expected.Values, output, tolerance, because: RoundingReason);
    }

    [Theory, MemberData(nameof(Convolutions))]
    public void Convolution2dInputGradient_AccumulatesWhatPlainLoopsGive(ConvolutionCase c)
    {
        (HostTensor initial, float[] gradient) = Accumulate(
            c.InputShape, [c.OutputGradient, c.Weights], (on, s, d) =>
                on.Convolution2dInputGradient(s[0], s[1], c.Geometry, d));
        HostTensor expected = PlainConvolution2d.InputGradient(c.OutputGradient, c.Weights, c.Geometry, c.InputShape);
        TensorAssert.Close(
            (initial + expected).Values, gradient, ConvolutionRounding(c.Co * c.Kh * c.Kw, c.WeightScale),
            because: RoundingReason);
    }

    [Theory, MemberData(nameof(Convolutions))]
    public void Convolution2dWeightGradient_AccumulatesWhatPlainLoopsGive(ConvolutionCase c)
    {
        HostTensor weights = HostTensor.Random(c.WeightShape, 77, 1);
        HostTensor bias = HostTensor.Random(Shape.Vector(c.Co), 77, 2);
        float[][] gradients = Run([c.Input, c.OutputGradient], [weights, bias], (on, s, d) =>
            on.Convolution2dWeightGradient(s[0], s[1], c.Geometry, d[0], d[1]));
        double tolerance = ConvolutionRounding(c.N * c.OutputShape.Plane, 1);
        HostTensor expected = PlainConvolution2d.WeightGradient(c.Input, c.OutputGradient, c.Geometry, c.WeightShape);
        TensorAssert.Close((weights + expected).Values, gradients[0], tolerance, because: RoundingReason);
        expected = PlainConvolution2d.BiasGradient(c.OutputGradient);
        TensorAssert.Close((bias + expected).Values, gradients[1], tolerance, because: RoundingReason);

        float[][] withoutBias = Run([c.Input, c.OutputGradient], [weights], (on, s, d) =>
            on.Convolution2dWeightGradient(s[0], s[1], c.Geometry, d[0], null));
        TensorAssert.SameBits(gradients[0], withoutBias[0], "the weight gradient without a bias gradient");
    }

    [Theory, MemberData(nameof(Convolutions))]
    public void Convolution2d_HidesNoNan(ConvolutionCase c)
    {
        HostTensor input = c.Input.WithNan(c.Input.Values.Length / 2);
        HostTensor weights = c.Weights.WithNan(c.Weights.Values.Length / 2);
        Check(input, c.Weights, c.Bias);
        Check(c.Input, weights, c.Bias);
        Check(c.Input, c.Weights, c.Bias.WithNan(c.Co / 2));

        void Check(HostTensor x, HostTensor w, HostTensor b)
        {
            HostTensor expected = PlainConvolution2d.Forward(x, w, b, c.Geometry, relu: true);
            if (!expected.Values.Any(double.IsNaN)) return; // the stride skips the pixel
            float[] output = Run(c.OutputShape, [x, w, b], (on, s, d) =>
                on.Convolution2d(s[0], s[1], s[2], c.Geometry, relu: true, d));
            TensorAssert.NanWhereExpected(expected.Values, output, "Convolution2d");
        }
    }

    [Theory, MemberData(nameof(Convolutions))]
    public void Convolution2dGradients_HideNoNan(ConvolutionCase c)
    {
        HostTensor outputGradient = c.OutputGradient.WithNan(c.OutputGradient.Values.Length / 2);
        (_, float[] inputGradient) = Accumulate(c.InputShape, [outputGradient, c.Weights], (on, s, d) =>
            on.Convolution2dInputGradient(s[0], s[1], c.Geometry, d));
        HostTensor expected = PlainConvolution2d.InputGradient(outputGradient, c.Weights, c.Geometry, c.InputShape);
        TensorAssert.NanWhereExpected(expected.Values, inputGradient, "input gradient");

        float[][] gradients = Run(
            [c.Input, outputGradient], [new(c.WeightShape), new(Shape.Vector(c.Co))], (on, s, d) =>
                on.Convolution2dWeightGradient(s[0], s[1], c.Geometry, d[0], d[1]));
        expected = PlainConvolution2d.WeightGradient(c.Input, outputGradient, c.Geometry, c.WeightShape);
        TensorAssert.NanWhereExpected(expected.Values, gradients[0], "weight gradient");
        expected = PlainConvolution2d.BiasGradient(outputGradient);
        TensorAssert.NanWhereExpected(expected.Values, gradients[1], "bias gradient");
    }

    [Fact]
    public void Convolution2d_SeesWeightsThatWereWrittenSince()
    {
        var c = new ConvolutionCase(1, 3, 6, 7, 8, 3, 3);
        HostTensor other = HostTensor.Random(c.WeightShape, 5, 5, c.WeightScale);
        using Tensor input = Backend.Allocate(c.InputShape);
        using Tensor weights = Backend.Allocate(c.WeightShape);
        using Tensor output = Backend.Allocate(c.OutputShape);
        using Tensor gradient = Backend.Allocate(c.WeightShape);
        using Tensor first = Backend.Allocate(c.WeightShape);
        using Tensor second = Backend.Allocate(c.WeightShape);
        Tensor half = weights.Samples(4, 4);
        Tensor halfOutput = output.Reshape(new Shape(8, 1, 4, 5)).Samples(0, 4).Reshape(new Shape(1, 4, 4, 5));
        Backend.Upload(c.Input.ToFloats(), input);
        Backend.Upload(c.Weights.ToFloats(), weights);
        Convolve(weights, output);
        Convolve(half, halfOutput);

        Backend.Upload(other.ToFloats(), weights);
        HostTensor expected = PlainConvolution2d.Forward(c.Input, other, null, c.Geometry, relu: false);
        TensorAssert.Close(
            expected.Values, Convolve(weights, output), ConvolutionRounding(c.FanIn, 1),
            because: "after Upload: " + RoundingReason);
        TensorAssert.Close(
            expected.Values.AsSpan(4 * 20), Convolve(half, halfOutput), ConvolutionRounding(c.FanIn, 1),
            because: "view of rows, after Upload: " + RoundingReason);

        Backend.Copy(half, weights.Samples(0, 4));
        TensorAssert.SameBits(
            Convolve(half, halfOutput), Convolve(weights, output).AsSpan(0, 80), "after Copy into a view");
        TensorAssert.SameBits(
            Convolve(half, halfOutput), Convolve(weights, output).AsSpan(80, 80), "after Copy into a view");

        float[] before = Convolve(weights, output);
        Backend.Fill(1, gradient);
        Backend.Adam(gradient, new AdamSettings(LearningRate: 0.5f), 1, first, second, weights);
        Assert.NotEqual(before, Convolve(weights, output));
        Backend.Fill(0, weights);
        Assert.All(Convolve(weights, output), value => Assert.Equal(0, value));

        float[] Convolve(Tensor kernel, Tensor result)
        {
            Backend.Convolution2d(input, kernel, null, c.Geometry, relu: false, result);
            var values = new float[result.Shape.Count];
            Backend.Download(result, values);
            return values;
        }
    }

    [Theory, InlineData(1, 1, 3, 3), InlineData(2, 3, 5, 7), InlineData(1, 24, 51, 57)]
    public void ReluBackward_ZeroesWhereTheOutputIsZero(int n, int c, int h, int w)
    {
        HostTensor output = Random(new Shape(n, c, h, w), 0).Map(value => Math.Max(value, 0)).WithNan(8);
        HostTensor gradient = Random(output.Shape, 1).WithNan(8);
        float[] result = Run([output], [gradient], (on, s, d) => on.ReluBackward(s[0], d[0]))[0];
        float[] expected = gradient.ToFloats();
        for (int i = 0; i < expected.Length; i++)
            if (output.Values[i] == 0) expected[i] = 0;
        Assert.Contains(0f, expected);
        TensorAssert.Close(expected, result, 0, because: "nothing is computed");
    }

    [Fact]
    public void Convolution2d_ShapesThatClash_Throw()
    {
        using Tensor input = Backend.Allocate(new Shape(1, 3, 5, 5)), weights = Backend.Allocate(new Shape(4, 3, 3, 3));
        using Tensor fourChannels = Backend.Allocate(new Shape(4, 4, 3, 3));
        using Tensor large = Backend.Allocate(new Shape(4, 3, 6, 6));
        using Tensor output = Backend.Allocate(new Shape(1, 4, 3, 3)), bias = Backend.Allocate(Shape.Vector(3));
        Assert.Throws<ArgumentException>(
            () => Backend.Convolution2d(input, fourChannels, null, new(1, 0), false, output));
        Assert.Throws<ArgumentException>(() => Backend.Convolution2d(input, large, null, new(1, 0), false, output));
        Assert.Throws<ArgumentException>(() => Backend.Convolution2d(input, weights, null, new(1, 1), false, output));
        Assert.Throws<ArgumentException>(() => Backend.Convolution2d(input, weights, null, new(0, 0), false, output));
        Assert.Throws<ArgumentException>(() => Backend.Convolution2d(input, weights, bias, new(1, 0), false, output));
        Assert.Throws<ArgumentException>(() => Backend.Convolution2dInputGradient(output, weights, new(2, 0), input));
        Assert.Throws<ArgumentException>(
            () => Backend.Convolution2dWeightGradient(input, output, new(1, 0), weights, bias));
    }
}
