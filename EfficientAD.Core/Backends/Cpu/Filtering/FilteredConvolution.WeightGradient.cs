using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu.Filtering;

internal sealed unsafe partial class FilteredConvolution<TForm, TKernels>
{
    // Tiles whose factors are summed at a time: some megabytes, which the threads hand each other through a shared cache.
    private const int TilesPerRound = 128;

    /// <remarks>Per point a matrix product over tiles, [input channels x tiles] x [tiles x output channels], whose sums are
    /// transformed once at the end.</remarks>
    public void WeightGradient(Tensor input, Tensor outputGradient, int padding, Tensor weightGradient)
    {
        var grid = new TileGrid(outputGradient.Shape.N, outputGradient.Shape.H, outputGradient.Shape.W, TForm.Outputs);
        ChannelPlanes values = Lay(input, padding, grid, _input);
        ChannelPlanes gradients = ChannelPlanes.Lay(
            outputGradient, 0, 0, grid.Rows * TForm.Outputs, grid.Columns * TForm.Outputs, TKernels.Lanes, _gradient, pool);
        int panels = TransformedWeights<TForm, TKernels>.Panels(outputGradient.Shape.C);
        var round = new GradientRound(values.Blocks, panels);

        float* sums = _sums.Reserve(round.SumCount);
        float* factors = _scratch.Reserve(round.FactorCount + 2L * pool.Threads * TileTransforms<TForm, TKernels>.Scratch);
        pool.Run(Points, point => new Span<float>(sums + point * round.PointSums, checked((int)round.PointSums)).Clear());
        for (int first = 0; first < grid.Count; first += TilesPerRound)
            Accumulate(round, values, gradients, grid, first, factors, sums);
        Transform(round, sums, weightGradient);
    }

    /// <summary>Where the factors of a round and the sums lie: factors [point][channel block][tile][lane], then
    /// [point][panel][tile][lane of the panel]; sums [point][panel][input channel][lane of the panel].</summary>
    private readonly record struct GradientRound(int ChannelBlocks, int Panels)
    {
        public nint ValuePitch => (ChannelBlocks * TilesPerRound + 1) * TKernels.Lanes;

        public nint GradientPitch => (Panels * TilesPerRound * 2 + 1) * TKernels.Lanes;

        public long FactorCount => Points * (long)(ValuePitch + GradientPitch);

        public long PanelSums => (long)ChannelBlocks * TKernels.Lanes * 2 * TKernels.Lanes;

        public long PointSums => Panels * PanelSums;

        public long SumCount => Points * PointSums;
    }

    private void Accumulate(
        GradientRound round, ChannelPlanes values, ChannelPlanes gradients, TileGrid grid, int first, float* factors, float* sums)
    {
        int lanes = TKernels.Lanes, count = Math.Min(TilesPerRound, grid.Count - first);
        float* gradientFactors = factors + Points * round.ValuePitch;
        float* scratch = factors + round.FactorCount;
        pool.Run(values.Blocks + gradients.Blocks, (item, worker) =>
        {
            float* transform = scratch + (long)worker * TileTransforms<TForm, TKernels>.Scratch;
            if (item < values.Blocks)
            {
                float* target = factors + (nint)item * TilesPerRound * lanes;
                TileProducts<TForm, TKernels>.Transform(values, item, grid, first, count, transform, target, round.ValuePitch);
            }
            else
            {
                (int panel, int half) = Math.DivRem(item - values.Blocks, 2);
                float* target = gradientFactors + ((nint)panel * TilesPerRound * 2 + half) * lanes;
                TransformGradients(gradients, item - values.Blocks, grid, first, count, transform, target, round.GradientPitch);
            }
        });
        pool.Run(Points * round.Panels, item =>
        {
            (int point, int panel) = Math.DivRem(item, round.Panels);
            float* columns = gradientFactors + point * round.GradientPitch + (nint)panel * TilesPerRound * 2 * lanes;
            float* rows = factors + point * round.ValuePitch;
            float* sum = sums + point * round.PointSums + panel * round.PanelSums;
            for (int block = 0; block < round.ChannelBlocks; block++, rows += TilesPerRound * lanes)
                for (int row = 0; row < lanes; row += TKernels.GradientRows, sum += TKernels.GradientRows * 2 * lanes)
                    TKernels.Correlate(rows + row, columns, count, sum);
        });
    }

    private static void TransformGradients(
        ChannelPlanes gradients, int block, TileGrid grid, int first, int count, float* scratch, float* target, nint pointPitch)
    {
        int lanes = TKernels.Lanes, pitch = gradients.Pitch * lanes;
        for (int i = 0; i < count; i++)
        {
            (int sample, int row, int column) = grid.At(first + i);
            float* tile = gradients.Plane(sample, block) + ((long)row * pitch + column * lanes) * TForm.Outputs;
            TileTransforms<TForm, TKernels>.OutputGradient(tile, pitch, scratch, target + 2 * i * lanes, pointPitch);
        }
    }

    private void Transform(GradientRound round, float* sums, Tensor weightGradient)
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
                    TileTransforms<TForm, TKernels>.WeightGradient(source, (nint)round.PointSums, scratch, gathered);
                    for (int lane = 0; lane < Math.Min(lanes, shape.N - row); lane++)
                    {
                        float* target = (float*)weightGradient.Address + ((long)(row + lane) * shape.C + channel) * taps;
                        for (int tap = 0; tap < taps; tap++) target[tap] += gathered[tap * lanes + lane];
                    }
                }
        });
    }
}
