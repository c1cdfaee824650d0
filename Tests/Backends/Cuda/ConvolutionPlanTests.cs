using EfficientAD.Backends;
using EfficientAD.Backends.Cuda;
using EfficientAD.Tensors;

namespace EfficientAD.Tests.Backends.Cuda;

/// <summary>Which tile and how many splits a convolution gets: pure arithmetic, no device.</summary>
public class ConvolutionPlanTests
{
    private const int Multiprocessors = 84;

    private static readonly ConvolutionShape SecondLayer = Of(1, 128, 126, 256, 4), Bottleneck = Of(1, 64, 8, 64, 8);
    private static readonly ConvolutionShape FirstEncoder =
        new(new Shape(1, 3, 256, 256), new Shape(32, 3, 4, 4), new Convolution2dGeometry(2, 1));

    private static ConvolutionShape Of(int n, int ci, int size, int co, int kernel) =>
        new(new Shape(n, ci, size, size), new Shape(co, ci, kernel, kernel), Convolution2dGeometry.Valid);

    [Fact]
    public void Products_HaveTheSizesOfTheirDirection()
    {
        Assert.Equal(
            new ConvolutionProduct(256, 123 * 123, 128 * 16, 1, 256 * 123 * 123),
            Product(ConvolutionDirection.Forward, SecondLayer));
        Assert.Equal(
            new ConvolutionProduct(128, 126 * 126, 256 * 16, 1, 128 * 126 * 126),
            Product(ConvolutionDirection.InputGradient, SecondLayer));
        Assert.Equal(
            new ConvolutionProduct(256, 128 * 16, 123 * 123, 1, 256 * 128 * 16),
            Product(ConvolutionDirection.WeightGradient, SecondLayer));
        // Stride 2: one pixel in four, one tap in four, four times over.
        Assert.Equal(
            new ConvolutionProduct(3, 128 * 128, 32 * 4, 4, 3 * 256 * 256),
            Product(ConvolutionDirection.InputGradient, FirstEncoder));
        // Half precision pads three channels to a chunk of eight.
        Assert.Equal(
            8 * 16,
            ConvolutionProduct.Of(ConvolutionDirection.Forward, FirstEncoder, ConvolutionArithmetic.Half).Depth);
    }

    [Fact]
    public void ManyPixels_TakeLargeTilesAndNoSplit()
    {
        ConvolutionPlan plan = Plan(ConvolutionDirection.Forward, Of(16, 128, 126, 256, 4));
        Assert.Equal("convolution2d_forward_large", plan.Kernel);
        Assert.Equal(1, plan.Splits);
        Assert.Equal(2 * ((16 * 123 * 123 + 127) / 128), plan.Launch.Grid.X);
    }

    [Fact]
    public void OnePixel_SplitsItsDepth()
    {
        ConvolutionPlan plan = Plan(ConvolutionDirection.Forward, Bottleneck);
        Assert.Equal("convolution2d_forward_small", plan.Kernel);
        Assert.InRange(plan.Splits, 8, 64);
    }

    [Fact]
    public void FewWeightsOfManyPixels_SplitTheirPixels()
    {
        ConvolutionPlan plan = Plan(ConvolutionDirection.WeightGradient, FirstEncoder);
        Assert.InRange(plan.Splits, 8, 64);
    }

    [Theory, InlineData(1), InlineData(16), InlineData(84), InlineData(132)]
    public void EveryPlan_CoversItsProductAndStaysWithinItsLimits(int multiprocessors)
    {
        ConvolutionShape[] shapes =
        [
            SecondLayer, Bottleneck, FirstEncoder,
            Of(1, 1, 1, 1, 1), Of(16, 256, 61, 768, 4), Of(1, 3, 256, 128, 4), Of(64, 64, 9, 64, 4),
        ];
        foreach (ConvolutionShape shape in shapes)
        {
            foreach (ConvolutionDirection direction in Enum.GetValues<ConvolutionDirection>())
            {
                foreach (CudaPrecision precision in Enum.GetValues<CudaPrecision>())
                {
                    var arithmetic = ConvolutionArithmetic.Of(precision, direction, shape.Geometry, new Version(8, 6));
                    ConvolutionProduct product = ConvolutionProduct.Of(direction, shape, arithmetic);
                    ConvolutionPlan plan = ConvolutionPlan.Choose(direction, product, arithmetic, multiprocessors);
                    ConvolutionTile tile =
                        arithmetic.Tiles.Single(tile => plan.Kernel == arithmetic.PrefixOf(direction) + tile.Name);
                    Assert.Equal(tile.Threads, plan.Launch.Block.X);
                    long covered = (long)plan.Launch.Grid.X * tile.Size * tile.Size;
                    Assert.InRange(covered, (long)product.Rows * product.Columns, long.MaxValue);
                    Assert.Equal((plan.Splits, product.Residues), (plan.Launch.Grid.Y, plan.Launch.Grid.Z));
                    Assert.InRange(plan.Splits, 1, Math.Max(1, product.Depth / 64));
                    Assert.InRange(ConvolutionPlan.PartBytes(product.Written, plan.Splits), 0, 256 << 20);
                }
            }
        }
    }

    [Fact]
    public void ShapesBeyondTheKernelsIndices_AreRefused()
    {
        Assert.Throws<ArgumentException>(() => Product(ConvolutionDirection.Forward, Of(1, 40_000, 1, 1, 1)));
        Assert.Throws<ArgumentException>(() => Product(ConvolutionDirection.Forward, Of(1, 1, 129, 1, 129)));
        Assert.Throws<ArgumentException>(() => Product(ConvolutionDirection.Forward, Of(1, 256, 2900, 1, 1)));
    }

    [Fact]
    public void Tf32_NeedsAmpere()
    {
        Assert.Equal(ConvolutionArithmetic.Float, ArithmeticOn(new Version(7, 5)));
        Assert.Equal(ConvolutionArithmetic.Tf32, ArithmeticOn(new Version(8, 0)));

        static ConvolutionArithmetic ArithmeticOn(Version capability) =>
            ConvolutionArithmetic.Of(
                CudaPrecision.Tf32, ConvolutionDirection.WeightGradient, Convolution2dGeometry.Valid, capability);
    }

    private static ConvolutionProduct Product(ConvolutionDirection direction, in ConvolutionShape shape) =>
        ConvolutionProduct.Of(direction, shape, ConvolutionArithmetic.Float);

    private static ConvolutionPlan Plan(ConvolutionDirection direction, in ConvolutionShape shape) =>
        ConvolutionPlan.Choose(direction, Product(direction, shape), ConvolutionArithmetic.Float, Multiprocessors);
}
