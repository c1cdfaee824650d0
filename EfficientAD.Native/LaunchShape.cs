namespace EfficientAD.Native;

/// <summary>Numbers of blocks in a grid, or of threads in a block; each from 1.</summary>
public readonly record struct Extent(int X, int Y = 1, int Z = 1)
{
    public long Count => (long)X * Y * Z;

    public override string ToString() => $"{X} x {Y} x {Z}";
}

/// <summary>How a kernel is spread over the device.</summary>
/// <param name="Grid">Blocks: up to 2^31 - 1, 65535 and 65535.</param>
/// <param name="Block">Threads: up to 1024, 1024 and 64, and 1024 in all; fewer where a kernel takes many
/// registers.</param>
/// <param name="SharedBytes">Dynamic shared memory of each block.</param>
public readonly record struct LaunchShape(Extent Grid, Extent Block, int SharedBytes = 0);
