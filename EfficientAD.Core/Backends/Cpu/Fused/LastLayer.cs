using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Networks.Folding;

namespace EfficientAD.Backends.Cpu.Fused;

/// <summary>The last convolutions and both maps: teacher less student in one sum over the hidden maps of both, and the
/// autoencoder's features less the student's. Student factors serve both.</summary>
internal sealed unsafe class LastLayer<TForm, TKernels, TVector, TLanes> : IDisposable
    where TForm : struct, IFilterForm
    where TKernels : struct, IProductKernels
    where TLanes : struct, ILanes<TVector>
{
    // An item's products, about 1.3 MB at most; the fewer groups of blocks there are, the less often weights are read.
    private const int ProductsPerItem = 320 * 1024;

    private static int LargestGroup => Math.Max(1, (int)(ProductsPerItem / TileProducts<TForm, TKernels>.BlockProducts));

    private readonly ChannelPlanes _teacher, _student;
    private readonly TileProducts<TForm, TKernels> _products;
    private readonly TileGrid _grid;
    private readonly int _channels;
    private readonly AlignedMemory _factors, _localWeights, _globalWeights, _localBias, _globalBias, _sums;
    private SquareSink<TVector, TLanes> _localSink, _globalSink;

    /// <param name="local">From [teacher; student] to the difference of teacher and student.</param>
    /// <param name="global">From the student's hidden map to what imitates the autoencoder.</param>
    public LastLayer(
        ChannelPlanes teacher, ChannelPlanes student, LayerWeights local, LayerWeights global,
        int samples, int height, int width, WorkerPool workers)
    {
        (_teacher, _student, _channels) = (teacher, student, local.Shape.N);
        _grid = new TileGrid(samples, height, width, TForm.Outputs);
        _products = new TileProducts<TForm, TKernels>(_grid, teacher.Blocks + student.Blocks, workers.Threads);
        _factors = new AlignedMemory(_products.BlockCount * _products.BlockFactors * sizeof(float));
        _localWeights = local.Transform<TForm, TKernels>(workers);
        _globalWeights = global.Transform<TForm, TKernels>(workers);
        (_localBias, _globalBias) = (local.PaddedBias(TKernels.Lanes), global.PaddedBias(TKernels.Lanes));
        _sums = new AlignedMemory(2L * SumCount * sizeof(float));
        _localSink = new SquareSink<TVector, TLanes>(_sums.Address, default, _localBias.Address, _channels, height, width);
        (Factors, Products) = (new FactorLayer(this), new ProductLayer(this));
    }

    public FusedLayer Factors { get; }

    public FusedLayer Products { get; }

    private int ChannelBlocks => (_channels + TKernels.Lanes - 1) / TKernels.Lanes;

    private int PlaneCount => _grid.Height * _grid.Width;

    private long SumCount => (long)_grid.Samples * ChannelBlocks * PlaneCount;

    /// <param name="predicted">The autoencoder's features.</param>
    public void SetMinuend(ChannelPlanes predicted) => _globalSink = new SquareSink<TVector, TLanes>(
        _sums.Address + (nint)SumCount * sizeof(float), predicted, _globalBias.Address, _channels, _grid.Height, _grid.Width);

    /// <summary>Means over channels, after both layers ran.</summary>
    /// <param name="local">[n, 1, h, w].</param>
    /// <param name="global">[n, 1, h, w].</param>
    public void WriteMaps(Span<float> local, Span<float> global)
    {
        WriteMap((float*)_sums.Address, local);
        WriteMap((float*)_sums.Address + SumCount, global);
    }

    public void Dispose()
    {
        foreach (AlignedMemory memory in new[] { _factors, _localWeights, _globalWeights, _localBias, _globalBias, _sums })
            memory.Dispose();
    }

    private void WriteMap(float* sums, Span<float> map)
    {
        for (int sample = 0; sample < _grid.Samples; sample++)
        {
            Span<float> plane = map.Slice(sample * PlaneCount, PlaneCount);
            plane.Clear();
            for (int block = 0; block < ChannelBlocks; block++, sums += PlaneCount)
                System.Numerics.Tensors.TensorPrimitives.Add(plane, new ReadOnlySpan<float>(sums, PlaneCount), plane);
            System.Numerics.Tensors.TensorPrimitives.Multiply(plane, 1f / _channels, plane);
        }
    }

    /// <summary>Factors of both hidden maps, for all panels. An item is a block of tiles and a block of channels.</summary>
    private sealed class FactorLayer(LastLayer<TForm, TKernels, TVector, TLanes> layer) : FusedLayer
    {
        private int Channels => layer._teacher.Blocks + layer._student.Blocks;

        public override int Items => layer._products.BlockCount * Channels;

        public override long Scratch => TileTransforms<TForm, TKernels>.Scratch;

        public override void Run(int item, float* scratch)
        {
            (int block, int position) = Math.DivRem(item, Channels);
            bool isTeacher = position < layer._teacher.Blocks;
            layer._products.Transform(
                isTeacher ? layer._teacher : layer._student, isTeacher ? position : position - layer._teacher.Blocks,
                block, position, scratch, (float*)layer._factors.Address + block * layer._products.BlockFactors);
        }

        public override void Dispose() { }
    }

    /// <summary>Products, differences, squares. An item is a panel and a group of blocks, so that a panel's weights are read
    /// once or a few times: they are most of the memory that an image needs to see.</summary>
    private sealed class ProductLayer(LastLayer<TForm, TKernels, TVector, TLanes> layer) : FusedLayer
    {
        private readonly int _panels = TransformedWeights<TForm, TKernels>.Panels(layer._channels);
        private readonly int _groups = (layer._products.BlockCount + LargestGroup - 1) / LargestGroup;

        public override int Items => 2 * _panels * _groups;

        public override long Scratch =>
            LargestGroup * TileProducts<TForm, TKernels>.BlockProducts + 2L * TileTransforms<TForm, TKernels>.Scratch;

        public override void Run(int item, float* scratch)
        {
            (int index, int group) = Math.DivRem(item, _groups);
            bool isLocal = index < _panels;
            int panel = isLocal ? index : index - _panels, skipped = isLocal ? 0 : layer._teacher.Blocks;
            int first = layer._products.BlockCount * group / _groups, end = layer._products.BlockCount * (group + 1) / _groups;
            int channelBlocks = layer._teacher.Blocks + layer._student.Blocks - skipped;
            float* weights = (float*)(isLocal ? layer._localWeights : layer._globalWeights).Address;
            float* factors = (float*)layer._factors.Address + first * layer._products.BlockFactors;
            float* transform = scratch + LargestGroup * TileProducts<TForm, TKernels>.BlockProducts;
            layer._products.Multiply(
                factors + (nint)skipped * TKernels.Rows * TKernels.Lanes, end - first, channelBlocks,
                weights + panel * TileProducts<TForm, TKernels>.PanelWeights(channelBlocks), scratch);
            layer._products.Store(scratch, first, end, panel, transform, isLocal ? layer._localSink : layer._globalSink);
        }

        public override void Dispose() { }
    }
}
