using EfficientAD.Native;

namespace EfficientAD.Backends.Cuda;

/// <summary>How one direction of one convolution runs on one device.</summary>
/// <param name="Kernel">Its name.</param>
/// <param name="Splits">Blocks that share the depth of one tile; more than one need a second pass that adds their parts
/// up.</param>
internal sealed record ConvolutionPlan(string Kernel, LaunchShape Launch, int Splits)
{
    private const int MaximumSplits = 64, LeastDepthOfSplit = 64;
    private const long MaximumPartBytes = 256L << 20;

    // Estimates behind the choice, in cycles and bytes per cycle of one multiprocessor; they decide between plans that
    // differ by much, and no result depends on them but for the order of its sums.
    private const int WarpsOfBusyMultiprocessor = 8, StartOfBlock = 2000, StartOfKernel = 5000;
    private const double BytesPerCycle = 10;

    /// <summary>Bytes of all parts.</summary>
    public static long PartBytes(long written, int splits) => splits == 1 ? 0 : splits * written * sizeof(float);

    /// <summary>The plan with a given tile and number of splits.</summary>
    public static ConvolutionPlan With(
        ConvolutionTile tile, int splits, ConvolutionDirection direction, in ConvolutionProduct product,
        ConvolutionArithmetic arithmetic)
    {
        var grid = new Extent(checked((int)Tiles(product, tile)), splits, product.Residues);
        return new ConvolutionPlan(
            arithmetic.PrefixOf(direction) + tile.Name, new LaunchShape(grid, new Extent(tile.Threads)), splits);
    }

    /// <summary>The plan that a model of the device takes to be fastest: it weighs tiles that fill every multiprocessor
    /// against tiles that reuse what they load, and a split's second pass against idle multiprocessors.</summary>
    /// <remarks>A function of its arguments alone: the same sums in the same order on every device with as many
    /// multiprocessors.</remarks>
    public static ConvolutionPlan Choose(
        ConvolutionDirection direction, in ConvolutionProduct product, ConvolutionArithmetic arithmetic,
        int multiprocessors)
    {
        ConvolutionTile best = arithmetic.Tiles[0];
        (int bestSplits, double least) = (1, double.PositiveInfinity);
        foreach (ConvolutionTile tile in arithmetic.Tiles)
        {
            for (int splits = 1; splits <= MaximumSplits; splits++)
            {
                if (splits > 1 && !CanSplit(product, splits)) break;
                double cycles = Cycles(product, arithmetic, tile, splits, multiprocessors);
                if (cycles < least) (best, bestSplits, least) = (tile, splits, cycles);
            }
        }

        return With(best, bestSplits, direction, product, arithmetic);
    }

    private static bool CanSplit(in ConvolutionProduct product, int splits) =>
        product.Depth >= splits * LeastDepthOfSplit && PartBytes(product.Written, splits) <= MaximumPartBytes;

    private static long Tiles(in ConvolutionProduct product, ConvolutionTile tile) =>
        (long)ConvolutionProduct.CeilingOf(product.Rows, tile.Size)
        * ConvolutionProduct.CeilingOf(product.Columns, tile.Size);

    private static double Cycles(
        in ConvolutionProduct product, ConvolutionArithmetic arithmetic, ConvolutionTile tile, int splits,
        int multiprocessors)
    {
        int warps = tile.Threads / 32;
        double busiest = Math.Ceiling((double)Tiles(product, tile) * product.Residues * splits / multiprocessors);
        double stages = Math.Ceiling((double)product.Depth / arithmetic.StageDepth / splits);
        double products = tile.Size * tile.Size * stages * arithmetic.StageDepth * tile.Effort;
        // Few warps leave the units idle: a small tile alone takes as long as several of them side by side.
        double cycles = Math.Max(busiest, (double)WarpsOfBusyMultiprocessor / warps) * products / arithmetic.Rate
            + StartOfBlock * Math.Ceiling(busiest * warps / (2 * WarpsOfBusyMultiprocessor));
        if (splits == 1) return cycles;
        double secondPass = (2.0 * splits + 1) * product.Written * sizeof(float) / multiprocessors / BytesPerCycle;
        return cycles + secondPass + StartOfKernel;
    }
}
