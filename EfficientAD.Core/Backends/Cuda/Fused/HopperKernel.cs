using EfficientAD.Native;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>What the kernels of fused_convolution_hopper.cu have in common: tiles, and how maps and weights are
/// described to the copy engine.</summary>
internal static class HopperKernel
{
    public const string File = "fused_convolution_hopper";

    // As the kernels have them.
    private const int Tile = 16, Across = 8, Every = 2, Patches = 4, Stages = 6, Threads = 288, RowBytes = 1024;
    private const int SharedBytes =
        Patches * (Tile + 3) * RowBytes + Stages * HopperWeights.Rows * HopperWeights.Depth * 2
        + 16 * (Patches + Stages);

    /// <summary>Most rows and columns of a kernel.</summary>
    public const int MostTaps = 4;

    private const int Bytes = sizeof(ushort);

    /// <param name="blocks">Of 128 channels.</param>
    public static LaunchShape Shape(int n, int height, int width, int blocks)
    {
        int tiles = ConvolutionProduct.CeilingOf(height, Tile) * ConvolutionProduct.CeilingOf(width, Tile);
        return new LaunchShape(new Extent(tiles, blocks, n), new Extent(Threads), SharedBytes);
    }

    /// <summary>A map of [n, height, width, channels] half, read in patches for a convolution of this size: every other
    /// pixel of 16 along x, what 16 rows of outputs need along y.</summary>
    /// <param name="pitches">Of pixels, rows and samples, in values.</param>
    public static void DescribeMap(
        TensorMap map, nint address, int n, int height, int width, int channels, int size,
        (long Pixel, long Row, long Sample) pitches) => map.Describe(
            address, TensorSwizzle.Bytes128,
            new(channels, 0, HopperWeights.Depth), new(width, pitches.Pixel * Bytes, Across, Every),
            new(height, pitches.Row * Bytes, Tile - 1 + size), new(n, pitches.Sample * Bytes, 1));

    /// <summary>[outputs, depth] half.</summary>
    public static void DescribeWeights(TensorMap map, nint address, int outputs, int depth) => map.Describe(
        address, TensorSwizzle.Bytes128, new(depth, 0, HopperWeights.Depth),
        new(outputs, (long)depth * Bytes, HopperWeights.Rows));
}
