namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>A tile of a fused convolution: so many output pixels by 128 output channels to a block, as
/// fused_convolution.cuh has them.</summary>
/// <param name="Name">In the kernels' names.</param>
/// <param name="Pixels">And threads: each warp computes 64 pixels by 64 channels.</param>
/// <param name="Stages">In shared memory.</param>
/// <param name="Effort">Time of a product in a busy multiprocessor, relative to the large tile: smaller ones read and
/// fill shared memory more often. Estimates, from the counted cycles of shared memory.</param>
internal sealed record FusedTile(string Name, int Pixels, int Stages, double Effort)
{
    /// <summary>Output channels of a block.</summary>
    public const int Channels = 128;

    // Fewer warps than schedulers leave some of these idle.
    private const double Schedulers = 4;

    private const int RowBytes = 64, WarpThreads = 32;

    public static FusedTile Large { get; } = new("large", 256, 4, 1);

    public static FusedTile Medium { get; } = new("medium", 128, 3, 1.1);

    public static FusedTile Small { get; } = new("small", 64, 3, 1.25);

    public static IReadOnlyList<FusedTile> All { get; } = [Large, Medium, Small];

    /// <summary>Dynamic shared memory of a block.</summary>
    public int SharedBytes => Stages * (Pixels + Channels) * RowBytes;

    /// <summary>Blocks of a launch.</summary>
    /// <param name="rows">Output pixels, before pooling.</param>
    /// <param name="columns">Tiles of output channels.</param>
    public int Blocks(int rows, int columns) => checked((rows + Pixels - 1) / Pixels * columns);

    /// <summary>The tile that a model of the device takes to be fastest: the work of the multiprocessor that gets most
    /// blocks decides. A function of its arguments alone, and of no consequence for the bits of a result.</summary>
    /// <inheritdoc cref="Blocks"/>
    public static FusedTile Choose(int rows, int columns, int multiprocessors)
    {
        FusedTile best = Large;
        foreach (FusedTile tile in All)
        {
            if (tile.Work(rows, columns, multiprocessors) < best.Work(rows, columns, multiprocessors)) best = tile;
        }

        return best;
    }

    private double Work(int rows, int columns, int multiprocessors)
    {
        double busiest = Math.Ceiling((double)Blocks(rows, columns) / multiprocessors);
        double leastBlocks = Schedulers / (Pixels / WarpThreads);
        return Math.Max(busiest, leastBlocks) * Pixels * Effort;
    }
}
