using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Networks.Folding;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu.Fused;

/// <summary>The last convolutions and both maps: teacher less student in one sum over the hidden maps of both, and the
/// autoencoder's features less the student's. Student factors serve both.</summary>
/// <remarks>A batch is taken in rounds of a few images, whose factors a shared cache holds while all panels of weights
/// pass over them.</remarks>
internal sealed unsafe class LastLayer<TForm, TKernels, TVector, TLanes> : IDisposable
    where TForm : struct, IFilterForm
    where TKernels : struct, IProductKernels
    where TLanes : struct, ILanes<TVector>
{
    // Of a round: 32 MB. The more images share a pass of the weights, the less often these are read.
    private const long FactorsPerRound = 8 * 1024 * 1024;

    private readonly ChannelPlanes _teacher, _student;
    private readonly int _channels, _threads;
    private readonly AlignedMemory _factors, _localWeights, _globalWeights, _localBias, _globalBias, _sums;

    /// <param name="predicted">The autoencoder's features.</param>
    /// <param name="local">From [teacher; student] to the difference of teacher and student.</param>
    /// <param name="global">From the student's hidden map to what imitates the autoencoder.</param>
    /// <param name="localMap">[n, 1, h, w].</param>
    /// <param name="globalMap">[n, 1, h, w].</param>
    public LastLayer(
        ChannelPlanes teacher, ChannelPlanes student, ChannelPlanes predicted, LayerWeights local, LayerWeights global,
        Tensor localMap, Tensor globalMap, WorkerPool workers)
    {
        (_teacher, _student, _channels, _threads) = (teacher, student, local.Shape.N, workers.Threads);
        Shape map = localMap.Shape;
        _localWeights = local.Transform<TForm, TKernels>(workers);
        _globalWeights = global.Transform<TForm, TKernels>(workers);
        (_localBias, _globalBias) = (local.PaddedBias(TKernels.Lanes), global.PaddedBias(TKernels.Lanes));

        var grid = new TileGrid(1, map.H, map.W, TForm.Outputs);
        int perRound = (int)Math.Clamp(FactorsPerRound / FactorCount(grid), 1, map.N);
        _factors = new AlignedMemory(FactorCount(grid with { Samples = perRound }) * sizeof(float));
        int channelBlocks = (_channels + TKernels.Lanes - 1) / TKernels.Lanes;
        var sums = new ChannelSums(0, channelBlocks, map.Plane);
        _sums = new AlignedMemory(2 * map.N * sums.SampleCount * sizeof(float));
        ChannelSums localSums = sums with { Address = _sums.Address }, globalSums = localSums.From(map.N);
        List<FusedLayer> layers = [];
        for (int first = 0; first < map.N; first += perRound)
        {
            var round = new Round(
                this, grid with { Samples = Math.Min(perRound, map.N - first) }, first,
                new SquareSink<TVector, TLanes>(
                    localSums.From(first).Address, default, _localBias.Address, _channels, map.H, map.W),
                new SquareSink<TVector, TLanes>(
                    globalSums.From(first).Address, predicted.From(first), _globalBias.Address, _channels, map.H,
                    map.W));
            layers.AddRange([new FactorLayer(round), new ProductLayer(round)]);
        }

        Layers = [.. layers, new MapLayer(localSums, localMap), new MapLayer(globalSums, globalMap)];
    }

    /// <summary>One behind the other; the hidden maps and the autoencoder's features must be there.</summary>
    public FusedLayer[] Layers { get; }

    public void Dispose()
    {
        AlignedMemory[] held = [_factors, _localWeights, _globalWeights, _localBias, _globalBias, _sums];
        foreach (AlignedMemory memory in held) memory.Dispose();
    }

    private TileProducts<TForm, TKernels> ProductsOf(TileGrid grid) =>
        new(grid, _teacher.Blocks + _student.Blocks, _threads);

    private long FactorCount(TileGrid grid)
    {
        TileProducts<TForm, TKernels> products = ProductsOf(grid);
        return products.BlockCount * products.BlockFactors;
    }

    /// <summary>Some images of the batch.</summary>
    private sealed class Round(
        LastLayer<TForm, TKernels, TVector, TLanes> layer, TileGrid grid, int first,
        SquareSink<TVector, TLanes> localSink, SquareSink<TVector, TLanes> globalSink)
    {
        private readonly int _capacity = grid.Samples;

        public LastLayer<TForm, TKernels, TVector, TLanes> Layer => layer;

        public ChannelPlanes Teacher { get; } = layer._teacher.From(first);

        public ChannelPlanes Student { get; } = layer._student.From(first);

        public SquareSink<TVector, TLanes> LocalSink => localSink;

        public SquareSink<TVector, TLanes> GlobalSink => globalSink;

        public TileProducts<TForm, TKernels> Products { get; private set; } = layer.ProductsOf(grid);

        public void Take(int samples) =>
            Products = layer.ProductsOf(grid with { Samples = Math.Clamp(samples - first, 0, _capacity) });
    }

    /// <summary>Factors of both hidden maps, for all panels. An item is a block of tiles and a block of
    /// channels.</summary>
    private sealed class FactorLayer(Round round) : FusedLayer
    {
        private readonly int _channels = round.Teacher.Blocks + round.Student.Blocks;

        public override string Name => $"factors F({TForm.Outputs}, {TForm.Kernel})";

        public override int Items => round.Products.BlockCount * _channels;

        public override long Scratch => 2 * TileTransforms<TForm, TKernels>.Scratch;

        public override void Take(int samples) => round.Take(samples);

        public override void Run(int item, float* scratch)
        {
            (int block, int position) = Math.DivRem(item, _channels);
            bool isTeacher = position < round.Teacher.Blocks;
            round.Products.Transform(
                isTeacher ? round.Teacher : round.Student, isTeacher ? position : position - round.Teacher.Blocks,
                block, position, scratch, (float*)round.Layer._factors.Address + block * round.Products.BlockFactors);
        }
    }

    /// <summary>Products, differences, squares. An item is a panel and a group of blocks, so that a panel's weights are
    /// read once or a few times: they are most of the memory that an image needs to see.</summary>
    private sealed class ProductLayer(Round round) : FusedLayer
    {
        // An item's products, about 1.3 MB at most; the fewer groups of blocks there are, the less often weights are
        // read.
        private const int ProductsPerItem = 320 * 1024;

        private readonly int _panels = TransformedWeights<TForm, TKernels>.Panels(round.Layer._channels);

        public override string Name => $"products F({TForm.Outputs}, {TForm.Kernel})";

        public override double Products =>
            round.Products.Count(round.Teacher.Blocks + 2 * round.Student.Blocks) * round.Layer._channels;

        public override int Items => 2 * _panels * Groups;

        public override long Scratch =>
            LargestGroup * TileProducts<TForm, TKernels>.BlockProducts + 2L * TileTransforms<TForm, TKernels>.Scratch;

        private static int LargestGroup =>
            Math.Max(1, (int)(ProductsPerItem / TileProducts<TForm, TKernels>.BlockProducts));

        private int Groups => (round.Products.BlockCount + LargestGroup - 1) / LargestGroup;

        public override void Take(int samples) => round.Take(samples);

        public override void Run(int item, float* scratch)
        {
            (LastLayer<TForm, TKernels, TVector, TLanes> layer, TileProducts<TForm, TKernels> products) =
                (round.Layer, round.Products);
            (int index, int group) = Math.DivRem(item, Groups);
            bool isLocal = index < _panels;
            int panel = isLocal ? index : index - _panels, skipped = isLocal ? 0 : round.Teacher.Blocks;
            int first = products.BlockCount * group / Groups, end = products.BlockCount * (group + 1) / Groups;
            int channelBlocks = round.Teacher.Blocks + round.Student.Blocks - skipped;
            float* weights = (float*)(isLocal ? layer._localWeights : layer._globalWeights).Address;
            float* factors = (float*)layer._factors.Address + first * products.BlockFactors;
            float* transform = scratch + LargestGroup * TileProducts<TForm, TKernels>.BlockProducts;
            products.Multiply(
                factors + (nint)skipped * TKernels.Rows * TKernels.Lanes, end - first, channelBlocks,
                weights + panel * TileProducts<TForm, TKernels>.PanelWeights(channelBlocks), scratch);
            products.Store(scratch, first, end, panel, transform, isLocal ? round.LocalSink : round.GlobalSink);
        }
    }
}
