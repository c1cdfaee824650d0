namespace EfficientAD.Backends.Cpu.Filtering;

/// <summary>The matrix products of filtered convolutions, as register tiles. A panel is two vectors of output
/// channels.</summary>
internal unsafe interface IProductKernels
{
    /// <summary>Tiles that <see cref="Multiply"/> takes at most.</summary>
    static abstract int Rows { get; }

    /// <summary>How many of them it takes where there are so many in all: the number that leaves the fewest places
    /// empty.</summary>
    static abstract int RowsFor(int tiles);

    /// <summary>Input channels that <see cref="Correlate"/> takes at once; divides <see cref="Lanes"/>.</summary>
    static abstract int GradientRows { get; }

    /// <summary>Neighbouring outputs of <see cref="ConvolveAndPool"/>.</summary>
    static abstract int PooledPixels { get; }

    /// <summary>Floats in a vector.</summary>
    static abstract int Lanes { get; }

    /// <summary>products[tile] = sum over channels of tiles[block][tile][lane] * weights[block][lane].</summary>
    /// <param name="rows">One of the values of <see cref="RowsFor"/>.</param>
    /// <param name="tiles">[blocks][Rows][Lanes]; places from <paramref name="rows"/> on are skipped.</param>
    /// <param name="weights">[blocks][Lanes] panels.</param>
    /// <param name="blocks">Blocks of <see cref="Lanes"/> channels.</param>
    /// <param name="products">[rows] panels, overwritten.</param>
    /// <param name="following">Tiles of the next product: its first block is asked for meanwhile. May lie beyond
    /// readable memory.</param>
    /// <param name="ahead">Weights of the next product, asked for meanwhile, since they come from a far cache or from
    /// memory:
    /// <paramref name="aheadStep"/> floats per channel. May lie beyond readable memory.</param>
    static abstract void Multiply(
        int rows, float* tiles, float* weights, int blocks, float* products, float* following, float* ahead,
        nint aheadStep);

    /// <summary>sums[row] += sum over i of rows[i][row] * columns[i], for the first <see cref="GradientRows"/>
    /// rows.</summary>
    /// <param name="rows">[depth][Lanes].</param>
    /// <param name="columns">[depth] panels.</param>
    /// <param name="sums">[GradientRows] panels; those behind them are asked for meanwhile.</param>
    /// <param name="ahead">Rows that are asked for meanwhile, [depth][Lanes]. May lie beyond readable memory.</param>
    static abstract void Correlate(float* rows, float* columns, int depth, float* sums, float* ahead);

    /// <summary>A panel of a convolution of few channels, rectified and averaged over windows of 2 x 2, for
    /// <see cref="PooledPixels"/> windows of a row.</summary>
    /// <param name="pixels">The first tap of the first pixel; rows <paramref name="pitch"/> floats apart.</param>
    /// <param name="taps">Where each of <paramref name="count"/> taps lies from the first.</param>
    /// <param name="weights">[count] panels.</param>
    /// <param name="bias">A panel.</param>
    /// <param name="pooled">[PooledPixels] vectors of the panel's first half; its second lies
    /// <paramref name="pooledPitch"/>
    /// floats behind.</param>
    /// <param name="signs">One bit per channel, set where a rectified output is not zero: two rows
    /// <paramref name="signPitch"/> apart, of either half of the panel; null if nobody asks.</param>
    static abstract void ConvolveAndPool(
        float* pixels, nint pitch, nint* taps, int count, float* weights, float* bias, float* pooled, nint pooledPitch,
        ushort* signs, nint signPitch, nint signPlane);
}
