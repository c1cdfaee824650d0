using EfficientAD.Backends;
using EfficientAD.Backends.Cuda;
using EfficientAD.Native;
using EfficientAD.Tensors;

namespace EfficientAD.Tests.Backends.Cuda;

/// <summary>Every convolution kernel on the simulator: each precision, direction, tile and split, whatever plan the
/// shape would get. The default plans in float32 are under the conformance tests of all backends.</summary>
public class CudaConvolutionTests
{
    private static readonly SimulatedGpu InOrder = new(seed: 3), Shuffled = new(seed: 4), Turing = new(75, seed: 5);

    private static readonly ConvolutionCase[] Cases =
    [
        new(1, 1, 1, 1, 1, 1, 1),                                     // smallest
        new(2, 3, 9, 7, 5, 3, 5, Padding: 2, Relu: true),             // nothing divides anything
        new(1, 5, 11, 14, 9, 4, 4, Stride: 2, Padding: 1),            // four residues of the input gradient
        new(1, 2, 7, 10, 3, 5, 3, Stride: 3, Padding: 2, Relu: true), // nine, of different sizes
        new(1, 5, 15, 17, 131, 4, 4, Relu: true),                     // more channels and pixels than the largest tile
        new(1, 64, 8, 8, 64, 8, 8),                                   // the bottleneck of the autoencoder
        new(1, 128, 5, 6, 40, 4, 4),                                  // the last layer of PDN-S, a part of it
    ];

    public static TheoryData<ConvolutionCase, CudaPrecision> Runs => new(
        from c in Cases from precision in Enum.GetValues<CudaPrecision>() select (c, precision));

    /// <summary>Two tolerances. Against the same factors rounded as the hardware rounds them, only float sums differ:
    /// that finds every wrong index. Against the true factors, what the precision promises: 2^-11 of each
    /// factor.</summary>
    [Theory, MemberData(nameof(Runs))]
    public void EveryTileAndSplit_MatchesPlainLoops(ConvolutionCase c, CudaPrecision precision)
    {
        using var inOrder = new SimulatedConvolution(InOrder, precision);
        using var shuffled = new SimulatedConvolution(Shuffled, precision);
        foreach (ConvolutionDirection direction in Enum.GetValues<ConvolutionDirection>())
        {
            ConvolutionArithmetic arithmetic = inOrder.ArithmeticOf(direction, c.Geometry);
            var product = ConvolutionProduct.Of(direction, ShapeOf(c), arithmetic);
            var expected = new Expected(c, direction, arithmetic);
            foreach (ConvolutionTile tile in arithmetic.Tiles)
            {
                foreach (int splits in (int[])[1, 3])
                {
                    var plan = ConvolutionPlan.With(tile, splits, direction, product, arithmetic);
                    float[] actual = inOrder.Run(c, direction, plan);
                    expected.AssertClose(actual, plan.Kernel);
                    if (splits > 1) TensorAssert.SameBits(actual, shuffled.Run(c, direction, plan), plan.Kernel);
                }
            }
        }
    }

    [Theory, InlineData(CudaPrecision.Full), InlineData(CudaPrecision.Half)]
    public void EveryTile_MatchesPlainLoopsOnTuring(CudaPrecision precision)
    {
        using var turing = new SimulatedConvolution(Turing, precision);
        foreach (ConvolutionCase c in Cases[1..5])
        {
            foreach (ConvolutionDirection direction in Enum.GetValues<ConvolutionDirection>())
            {
                ConvolutionArithmetic arithmetic = turing.ArithmeticOf(direction, c.Geometry);
                var product = ConvolutionProduct.Of(direction, ShapeOf(c), arithmetic);
                var expected = new Expected(c, direction, arithmetic);
                foreach (ConvolutionTile tile in arithmetic.Tiles)
                {
                    var plan = ConvolutionPlan.With(tile, 1, direction, product, arithmetic);
                    expected.AssertClose(turing.Run(c, direction, plan), plan.Kernel);
                }
            }
        }
    }

    /// <summary>Without tensor cores for TF32, and in the one direction that half precision leaves alone.</summary>
    [Fact]
    public void WhereAPrecisionDoesNotApply_TheBitsAreThoseOfFloat32()
    {
        AssertSame(Turing, CudaPrecision.Tf32, ConvolutionDirection.Forward, Cases[4]);
        AssertSame(InOrder, CudaPrecision.Half, ConvolutionDirection.InputGradient, Cases[2]);

        void AssertSame(SimulatedGpu gpu, CudaPrecision precision, ConvolutionDirection direction, ConvolutionCase c)
        {
            using var full = new SimulatedConvolution(gpu, CudaPrecision.Full);
            using var other = new SimulatedConvolution(gpu, precision);
            TensorAssert.SameBits(full.Run(c, direction), other.Run(c, direction), $"{direction} in {precision}");
        }
    }

    [Theory, InlineData(CudaPrecision.Tf32), InlineData(CudaPrecision.Half)]
    public void TensorCores_HideNoNan(CudaPrecision precision)
    {
        ConvolutionCase c = Cases[1];
        using CudaBackend backend = InOrder.Open(new CudaOptions { Precision = precision });
        HostTensor input = c.Input.WithNan(c.Input.Values.Length / 2), weights = c.Weights.WithNan(7);
        foreach ((HostTensor x, HostTensor w) in ((HostTensor, HostTensor)[])[(input, c.Weights), (c.Input, weights)])
        {
            HostTensor expected = PlainConvolution2d.Forward(x, w, c.Bias, c.Geometry, relu: true);
            TensorAssert.NanWhereExpected(expected.Values, Convolve(backend, c, x, w), $"{precision}");
        }
    }

    /// <summary>Losses divide by millions of values: their gradients would vanish in half precision, and a scale for
    /// all could overflow. Each gradient finds its own.</summary>
    [Theory, InlineData(1), InlineData(4)]
    public void HalfGradients_HaveTheSameBitsAtEveryScale(int caseIndex)
    {
        ConvolutionCase c = Cases[caseIndex];
        using var simulated = new SimulatedConvolution(InOrder, CudaPrecision.Half);
        ConvolutionDirection[] gradients = [ConvolutionDirection.InputGradient, ConvolutionDirection.WeightGradient];
        foreach (ConvolutionDirection direction in gradients)
        {
            float[] expected = simulated.Run(c, direction);
            foreach (int exponent in (int[])[-60, 60])
            {
                float[] scaled = simulated.Run(c, direction, exponent: exponent);
                TensorAssert.SameBits(
                    Array.ConvertAll(expected, value => MathF.ScaleB(value, exponent)), scaled,
                    $"{direction} times 2^{exponent}");
            }
        }
    }

    [Theory, InlineData(float.NaN), InlineData(float.PositiveInfinity)]
    public void HalfGradients_HideNothingThatIsNotFinite(float value)
    {
        ConvolutionCase c = Cases[1];
        using CudaBackend backend = InOrder.Open(new CudaOptions { Precision = CudaPrecision.Half });
        float[] gradients = c.OutputGradient.ToFloats();
        gradients[^1] = value;
        using Tensor gradient = backend.Allocate(c.OutputShape), input = Allocate(backend, c.Input);
        using Tensor weights = backend.Allocate(c.WeightShape);
        backend.Upload(gradients, gradient);
        backend.Convolution2dWeightGradient(input, gradient, c.Geometry, weights, biasGradient: null);
        int ofChannel = (int)weights.Shape.SampleCount;
        Assert.Contains(Download(backend, weights)[^ofChannel..], result => !float.IsFinite(result));
    }

    /// <summary>60000 is a half-precision number; 70000 lies beyond them.</summary>
    [Fact]
    public void HalfPrecision_OverflowsToInfinity()
    {
        var c = new ConvolutionCase(1, 1, 1, 2, 1, 1, 1);
        using CudaBackend backend = InOrder.Open(new CudaOptions { Precision = CudaPrecision.Half });
        var input = new HostTensor(c.InputShape, [60_000, -70_000]);
        HostTensor one = HostTensor.Filled(c.WeightShape, 1), zero = HostTensor.Filled(Shape.Vector(1), 0);
        float[] output = Convolve(backend, c, input, one, zero);
        Assert.Equal([60_000, float.NegativeInfinity], output);
    }

    [Theory, InlineData(CudaPrecision.Full), InlineData(CudaPrecision.Tf32), InlineData(CudaPrecision.Half)]
    public void PackedWeights_AreRenewedWhenTheWeightsChange(CudaPrecision precision)
    {
        ConvolutionCase c = Cases[2];
        using CudaBackend backend = InOrder.Open(new CudaOptions { Precision = precision });
        using Tensor input = Allocate(backend, c.Input), weights = Allocate(backend, c.Weights);
        using Tensor gradient = Allocate(backend, c.OutputGradient), output = backend.Allocate(c.OutputShape);
        (float[] before, float[] gradientBefore) = Both();
        backend.Upload(c.Weights.Map(value => -2 * value).ToFloats(), weights);
        (float[] after, float[] gradientAfter) = Both();
        // Doubling and negating commutes with every rounding.
        Assert.Equal(Array.ConvertAll(before, value => -2 * value), after);
        Assert.Equal(Array.ConvertAll(gradientBefore, value => -2 * value), gradientAfter);

        (float[] Output, float[] InputGradient) Both()
        {
            using Tensor inputGradient = backend.Allocate(c.InputShape);
            backend.Convolution2d(input, weights, null, c.Geometry, relu: false, output);
            backend.Convolution2dInputGradient(gradient, weights, c.Geometry, inputGradient);
            return (Download(backend, output), Download(backend, inputGradient));
        }
    }

    /// <summary>What a fused chain of layers needs: half-precision pixels out, and back to float planes.</summary>
    [Fact]
    public void HalfPrecision_CanLeaveItsOutputAsPixels()
    {
        var c = new ConvolutionCase(2, 5, 9, 8, 67, 3, 3, Padding: 1, Relu: true);
        using var simulated = new SimulatedConvolution(InOrder, CudaPrecision.Half);
        CudaStream stream = simulated.Stream;
        const string file = "convolution2d_half";
        const int channels = 8, depth = 96, tileRows = 8;  // 5 padded; 9 taps of 8, padded to whole stages of 32
        const int channelsOut = 72;                        // 67 padded
        using Tensor input = Allocate(simulated.Backend, c.Input), weights = Allocate(simulated.Backend, c.Weights);
        using Tensor bias = Allocate(simulated.Backend, c.Bias), planes = simulated.Backend.Allocate(c.OutputShape);
        using var pixelsIn = new DeviceBuffer(stream, 2L * c.N * c.H * c.W * channels);
        using var pixelsOut = new DeviceBuffer(stream, 2L * c.OutputShape.N * c.OutputShape.Plane * channelsOut);
        using var packed = new DeviceBuffer(stream, 2L * c.Co * depth);

        CudaKernel Kernel(string name) => simulated.Kernels.Get(file, name);
        var transposition = new LaunchShape(new Extent(3, 1, c.N), new Extent(32, tileRows));
        Kernel("convolution2d_half_from_planes").Launch(
            stream, transposition, input.Address, pixelsIn.Address, c.Ci, c.H * c.W, (nint)0);
        Kernel("convolution2d_half_pack").Launch(
            stream, new LaunchShape(new Extent((c.Co * depth + 255) / 256), new Extent(256)),
            weights.Address, packed.Address, c.Co, c.Ci, c.Kh * c.Kw, depth);
        Kernel("convolution2d_forward_half_medium").Launch(
            stream, new LaunchShape(new Extent(2 * 3), new Extent(128)), pixelsIn.Address, packed.Address, bias.Address,
            (nint)0, pixelsOut.Address, c.N, channels, c.H, c.W, c.Co, c.H, c.W, c.Kh, c.Kw, 1, 1, 1,
            channels, channelsOut);
        Kernel("convolution2d_half_to_planes").Launch(
            stream, transposition with { Grid = new Extent(3, 2, c.N) }, pixelsOut.Address, planes.Address,
            c.Co, c.OutputShape.Plane);

        float[] whole = simulated.Run(c, ConvolutionDirection.Forward);
        TensorAssert.Close(
            Array.ConvertAll(whole, value => (float)(Half)value), Download(simulated.Backend, planes), 0,
            because: "the same sums, rounded to half precision");
    }

    private static ConvolutionShape ShapeOf(ConvolutionCase c) => new(c.InputShape, c.WeightShape, c.Geometry);

    private static Tensor Allocate(CudaBackend backend, HostTensor values)
    {
        Tensor tensor = backend.Allocate(values.Shape);
        backend.Upload(values.ToFloats(), tensor);
        return tensor;
    }

    private static float[] Download(CudaBackend backend, Tensor tensor)
    {
        var values = new float[tensor.Shape.Count];
        backend.Download(tensor, values);
        return values;
    }

    private static float[] Convolve(
        CudaBackend backend, ConvolutionCase c, HostTensor input, HostTensor weights, HostTensor? bias = null)
    {
        using Tensor x = Allocate(backend, input);
        using Tensor w = Allocate(backend, weights);
        using Tensor b = Allocate(backend, bias ?? c.Bias);
        using Tensor y = backend.Allocate(c.OutputShape);
        backend.Convolution2d(x, w, b, c.Geometry, relu: bias is null, y);
        return Download(backend, y);
    }

    /// <summary>What plain loops in double give for one direction of a case.</summary>
    private sealed class Expected
    {
        private readonly double[] _rounded, _true, _magnitudes;
        private readonly double _ofSums, _ofFactors;

        public Expected(ConvolutionCase c, ConvolutionDirection direction, ConvolutionArithmetic arithmetic)
        {
            Func<double, double> round = arithmetic == ConvolutionArithmetic.Tf32 ? ToTf32
                : arithmetic == ConvolutionArithmetic.Half ? value => (double)(Half)value : value => value;
            (HostTensor a, HostTensor b, int terms) = direction switch
            {
                ConvolutionDirection.Forward => (c.Input, c.Weights, c.FanIn),
                ConvolutionDirection.InputGradient => (c.OutputGradient, c.Weights, c.Co * c.Kh * c.Kw),
                _ => (c.Input, c.OutputGradient, c.N * c.OutputShape.Plane),
            };
            _rounded = Compute(Round(a), Round(b), c.Bias, c.Relu);
            _true = arithmetic == ConvolutionArithmetic.Float ? _rounded : Compute(a, b, c.Bias, c.Relu);
            _magnitudes = Compute(a.Map(Math.Abs), b.Map(Math.Abs), c.Bias.Map(Math.Abs), relu: false);
            _ofSums = Math.ScaleB(Math.Sqrt(terms) + 2, -23);
            _ofFactors = arithmetic == ConvolutionArithmetic.Float ? 0 : Math.ScaleB(2.01, -11);

            // Output gradients in half precision are rounded at a scale that brings their largest to 2^14 or more.
            HostTensor Round(HostTensor factor)
            {
                bool isScaled = arithmetic == ConvolutionArithmetic.Half && factor.Shape == c.OutputShape
                    && direction != ConvolutionDirection.Forward;
                if (!isScaled) return factor.Map(round);
                int exponent = 14 - Math.ILogB(factor.Values.Max(Math.Abs));
                return factor.Map(value => Math.ScaleB(round(Math.ScaleB(value, exponent)), -exponent));
            }

            double[] Compute(HostTensor a, HostTensor b, HostTensor bias, bool relu)
            {
                HostTensor result = direction switch
                {
                    ConvolutionDirection.Forward => PlainConvolution2d.Forward(a, b, bias, c.Geometry, relu),
                    ConvolutionDirection.InputGradient =>
                        PlainConvolution2d.InputGradient(a, b, c.Geometry, c.InputShape),
                    _ => PlainConvolution2d.WeightGradient(a, b, c.Geometry, c.WeightShape),
                };
                return result.Values;
            }
        }

        public void AssertClose(float[] actual, string kernel)
        {
            AssertShares(
                _rounded, actual, _ofSums,
                $"{kernel}, rounded factors: as many additions, each rounded to 2^-23 of a sum");
            AssertShares(
                _true, actual, _ofSums + _ofFactors, $"{kernel}, true factors: 2^-11 of each of two factors more");
        }

        /// <summary>Compares errors as shares of the sum of the terms' magnitudes, which all roundings are relative
        /// to.</summary>
        private void AssertShares(double[] expected, float[] actual, double tolerance, string because)
        {
            Assert.Equal(expected.Length, actual.Length);
            var shares = new float[actual.Length];
            for (int i = 0; i < shares.Length; i++)
                shares[i] = (float)((actual[i] - expected[i]) / Math.Max(_magnitudes[i], float.Epsilon));
            TensorAssert.Close(new double[shares.Length], shares, tolerance, because: because);
        }

        /// <summary>The nearest number with 10 bits of fraction, ties away from zero.</summary>
        private static double ToTf32(double value) =>
            BitConverter.Int32BitsToSingle((BitConverter.SingleToInt32Bits((float)value) + 0x1000) & ~0x1FFF);
    }
}
