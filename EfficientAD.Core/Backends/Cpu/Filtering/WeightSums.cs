using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu.Filtering;

/// <summary>The weight gradient of a filtered convolution: per point a matrix product over tiles, [input channels x
/// tiles] x [tiles x output channels], whose sums are transformed once at the end.</summary>
internal sealed unsafe class WeightSums<TForm, TKernels>(WorkerPool pool) : IDisposable
    where TForm : struct, IFilterForm
    where TKernels : struct, IProductKernels
{
    // Tiles whose factors are summed at a time: some megabytes, which the threads hand each other through a shared
    // cache.
    private const int TilesPerRound = 64;

    private readonly ScratchMemory _scratch = new(), _sums = new();

    private static int Points => TileTransforms<TForm, TKernels>.Points;

    private static int TransformScratch => 2 * TileTransforms<TForm, TKernels>.Scratch;

    /// <param name="grid">Of the outputs.</param>
    /// <param name="biasSums">The output gradient's sum per channel, added to; null if nobody asks.</param>
    public void Add<TValues, TGradients>(
        TileGrid grid, TValues values, TGradients gradients, Tensor weightGradient, double[]? biasSums = null)
        where TValues : struct, ITileSource
        where TGradients : struct, ITileSource
    {
        var round = new Round(values.Blocks, TransformedWeights<TForm, TKernels>.Panels(weightGradient.Shape.N));
        float* sums = _sums.Reserve(round.SumCount);
        float* factors = _scratch.Reserve(round.FactorCount + (long)pool.Threads * TransformScratch);
        pool.Run(
            Points, point => new Span<float>(sums + point * round.PointSums, checked((int)round.PointSums)).Clear());
        // Even rounds: each reads and writes all sums.
        int rounds = (grid.Count + TilesPerRound - 1) / TilesPerRound;
        for (int i = 0; i < rounds; i++)
        {
            int first = (int)((long)grid.Count * i / rounds);
            int count = (int)((long)grid.Count * (i + 1) / rounds) - first;
            Transform(round, values, gradients, grid, first, count, factors, biasSums);
            Multiply(round, count, factors, sums);
        }

        TransformSums(round, sums, weightGradient);
    }

    public void Dispose()
    {
        _scratch.Dispose();
        _sums.Dispose();
    }

    /// <summary>Where the factors of a round and the sums lie: factors [point][channel block][tile][lane], then
    /// [point][panel][tile][lane of the panel]; sums [point][panel][input channel][lane of the panel].</summary>
    private readonly record struct Round(int ChannelBlocks, int Panels)
    {
        public nint ValuePitch => (ChannelBlocks * TilesPerRound + 1) * TKernels.Lanes;

        public nint GradientPitch => (Panels * TilesPerRound * 2 + 1) * TKernels.Lanes;

        public long FactorCount => Points * (long)(ValuePitch + GradientPitch);

        public long PanelSums => (long)ChannelBlocks * TKernels.Lanes * 2 * TKernels.Lanes;

        public long PointSums => Panels * PanelSums;

        public long SumCount => Points * PointSums;
    }

    private void Transform<TValues, TGradients>(
        Round round, TValues values, TGradients gradients, TileGrid grid, int first, int count, float* factors,
        double[]? biasSums)
        where TValues : struct, ITileSource
        where TGradients : struct, ITileSource
    {
        int lanes = TKernels.Lanes;
        float* gradientFactors = factors + Points * round.ValuePitch, scratch = factors + round.FactorCount;
        pool.Run(values.Blocks + gradients.Blocks, (item, worker) =>
        {
            float* transform = scratch + (long)worker * TransformScratch;
            if (item < values.Blocks)
            {
                float* target = factors + (nint)item * TilesPerRound * lanes;
                TileProducts<TForm, TKernels>.Transform(
                    values, item, grid, first, count, transform, target, round.ValuePitch);
            }
            else
            {
                int block = item - values.Blocks;
                float* target = gradientFactors + ((nint)block / 2 * TilesPerRound * 2 + block % 2) * lanes;
                Span<double> sums = biasSums is null ? [] : biasSums.AsSpan(block * lanes, lanes);
                TransformGradients(gradients, block, grid, first, count, transform, target, round.GradientPitch, sums);
            }
        });
    }

    private static void TransformGradients<TGradients>(
        TGradients gradients, int block, TileGrid grid, int first, int count, float* scratch, float* target,
        nint pointPitch,
        Span<double> biasSums)
        where TGradients : struct, ITileSource
    {
        int lanes = TKernels.Lanes, size = TForm.Outputs;
        float* room = scratch + TileTransforms<TForm, TKernels>.Scratch;
        for (int i = 0; i < count; i++)
        {
            (int sample, int row, int column) = grid.At(first + i);
            float* tile = gradients.Tile(sample, block, row * size, column * size, size, room, out nint pitch);
            TileTransforms<TForm, TKernels>.Prefetch(target + (2 * i + 4) * lanes, pointPitch);
            TileTransforms<TForm, TKernels>.OutputGradient(tile, pitch, scratch, target + 2 * i * lanes, pointPitch);
            if (!biasSums.IsEmpty) TileTransforms<TForm, TKernels>.AddTile(tile, pitch, biasSums);
        }
    }

    private void Multiply(Round round, int count, float* factors, float* sums)
    {
        int lanes = TKernels.Lanes;
        float* gradientFactors = factors + Points * round.ValuePitch;
        pool.Run(Points, point =>
        {
            float* columns = gradientFactors + point * round.GradientPitch, sum = sums + point * round.PointSums;
            nint panelColumns = (nint)TilesPerRound * 2 * lanes, blockRows = (nint)TilesPerRound * lanes;
            for (int panel = 0; panel < round.Panels; panel++, columns += panelColumns)
            {
                float* rows = factors + point * round.ValuePitch;
                for (int block = 0; block < round.ChannelBlocks; block++, rows += blockRows)
                    for (int row = 0; row < lanes; row += TKernels.GradientRows)
                    {
                        // Some rows ask for the next block's, the others for a half of the next panel's columns.
                        float* ahead = row == 0 ? rows + blockRows : columns + panelColumns + block % 2 * blockRows;
                        TKernels.Correlate(rows + row, columns, count, sum, ahead);
                        sum += TKernels.GradientRows * 2 * lanes;
                    }
            }
        });
    }

    private void TransformSums(Round round, float* sums, Tensor weightGradient)
    {
        Shape shape = weightGradient.Shape;
        int lanes = TKernels.Lanes, taps = shape.Plane;
        pool.Run(round.Panels * round.ChannelBlocks, item =>
        {
            float* scratch = stackalloc float[Points * lanes], gathered = stackalloc float[taps * lanes];
            (int panel, int block) = Math.DivRem(item, round.ChannelBlocks);
            for (int channel = block * lanes; channel < Math.Min(shape.C, (block + 1) * lanes); channel++)
                for (int half = 0; half < 2; half++)
                {
                    int row = (2 * panel + half) * lanes;
                    float* source = sums + panel * round.PanelSums + (2 * channel + half) * lanes;
                    TileTransforms<TForm, TKernels>.Prefetch(source + 2 * lanes, (nint)round.PointSums);
                    TileTransforms<TForm, TKernels>.WeightGradient(source, (nint)round.PointSums, scratch, gathered);
                    float* target = (float*)weightGradient.Address + ((long)row * shape.C + channel) * taps;
                    TapVectors.Add(
                        gathered, taps, Math.Min(lanes, shape.N - row), lanes, target, (nint)shape.SampleCount);
                }
        });
    }
}
