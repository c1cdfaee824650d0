namespace EfficientAD.Backends.Cpu.Filtering;

/// <summary>What tiles of channel vectors are read from.</summary>
internal unsafe interface ITileSource
{
    /// <summary>Blocks of channels.</summary>
    int Blocks { get; }

    /// <summary>The tile of <paramref name="extent"/> x <paramref name="extent"/> vectors from (top, left)
    /// on.</summary>
    /// <param name="scratch">Room for a tile, should it not lie in memory as it is.</param>
    /// <param name="pitch">Floats from one row of the tile to the next.</param>
    float* Tile(int sample, int block, int top, int left, int extent, float* scratch, out nint pitch);
}
