using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Networks.Folding;
using EfficientAD.Tensors;

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
    private readonly SquareSink<TVector, TLanes> _localSink, _globalSink;

    /// <param name="predicted">The autoencoder's features.</param>
    /// <param name="local">From [teacher; student] to the difference of teacher and student.</param>
    /// <param name="global">From the student's hidden map to what imitates the autoencoder.</param>
    /// <param name="localMap">[n, 1, h, w].</param>
    /// <param name="globalMap">[n, 1, h, w].</param>
    public LastLayer(
        ChannelPlanes teacher, ChannelPlanes student, ChannelPlanes predicted, LayerWeights local, LayerWeights global,
        Tensor localMap, Tensor globalMap, WorkerPool workers)
    {
        (_teacher, _student, _channels) = (teacher, student, local.Shape.N);
        (int height, int width) = (localMap.Shape.H, localMap.Shape.W);
        _grid = new TileGrid(localMap.Shape.N, height, width, TForm.Outputs);
        _products = new TileProducts<TForm, TKernels>(_grid, teacher.Blocks + student.Blocks, workers.Threads);
        _factors = new AlignedMemory(_products.BlockCount * _products.BlockFactors * sizeof(float));
        _localWeights = local.Transform<TForm, TKernels>(workers);
        _globalWeights = global.Transform<TForm, TKernels>(workers);
        (_localBias, _globalBias) = (local.PaddedBias(TKernels.Lanes), global.PaddedBias(TKernels.Lanes));
        _sums = new AlignedMemory(2L * SumCount * sizeof(float));
        nint globalSums = _sums.Address + (nint)SumCount * sizeof(float);
        _localSink = new SquareSink<TVector, TLanes>(_sums.Address, default, _localBias.Address, _channels, height, width);
        _globalSink = new SquareSink<TVector, TLanes>(globalSums, predicted, _globalBias.Address, _channels, height, width);
        TeacherFactors = new FactorLayer(this, teacher, 0);
        StudentFactors = new FactorLayer(this, student, teacher.Blocks);
        Products = new ProductLayer(this);
        Maps = new MapLayer(this, localMap, globalMap);
    }

    public FusedLayer TeacherFactors { get; }

    public FusedLayer StudentFactors { get; }

    /// <summary>Needs the factors and the autoencoder's features.</summary>
    public FusedLayer Products { get; }

    public FusedLayer Maps { get; }

    private int ChannelBlocks => (_channels + TKernels.Lanes - 1) / TKernels.Lanes;

    private int PlaneCount => _grid.Height * _grid.Width;

    private long SumCount => (long)_grid.Samples * ChannelBlocks * PlaneCount;

    public void Dispose()
    {
        foreach (AlignedMemory memory in new[] { _factors, _localWeights, _globalWeights, _localBias, _globalBias, _sums })
            memory.Dispose();
    }

    /// <summary>Factors of one of the hidden maps, for all panels. An item is a block of tiles and a block of
    /// channels.</summary>
    private sealed class FactorLayer(LastLayer<TForm, TKernels, TVector, TLanes> layer, ChannelPlanes planes, int position)
        : FusedLayer
    {
        public override string Name => $"factors F({TForm.Outputs}, {TForm.Kernel})";

        public override int Items => layer._products.BlockCount * planes.Blocks;

        public override long Scratch => 2 * TileTransforms<TForm, TKernels>.Scratch;

        public override void Run(int item, float* scratch)
        {
            (int block, int channels) = Math.DivRem(item, planes.Blocks);
            layer._products.Transform(
                planes, channels, block, position + channels, scratch,
                (float*)layer._factors.Address + block * layer._products.BlockFactors);
        }
    }

    /// <summary>Products, differences, squares. An item is a panel and a group of blocks, so that a panel's weights are read
    /// once or a few times: they are most of the memory that an image needs to see.</summary>
    private sealed class ProductLayer(LastLayer<TForm, TKernels, TVector, TLanes> layer) : FusedLayer
    {
        private readonly int _panels = TransformedWeights<TForm, TKernels>.Panels(layer._channels);
        private readonly int _groups = (layer._products.BlockCount + LargestGroup - 1) / LargestGroup;

        public override string Name => $"products F({TForm.Outputs}, {TForm.Kernel})";

        public override double Products =>
            layer._products.Count(layer._teacher.Blocks + 2 * layer._student.Blocks) * layer._channels;

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
    }

    /// <summary>Means over channels. An item is a map of a sample.</summary>
    private sealed class MapLayer(LastLayer<TForm, TKernels, TVector, TLanes> layer, Tensor localMap, Tensor globalMap) : FusedLayer
    {
        public override string Name => "maps";

        public override int Items => 2 * layer._grid.Samples;

        public override long Scratch => 0;

        public override void Run(int item, float* scratch)
        {
            (int sample, bool isLocal) = (item / 2, item % 2 == 0);
            int count = layer.PlaneCount;
            float* sums = (float*)layer._sums.Address + (isLocal ? 0 : layer.SumCount) + (long)sample * layer.ChannelBlocks * count;
            var plane = new Span<float>((float*)(isLocal ? localMap : globalMap).Address + (long)sample * count, count);
            plane.Clear();
            for (int block = 0; block < layer.ChannelBlocks; block++, sums += count)
                System.Numerics.Tensors.TensorPrimitives.Add(plane, new ReadOnlySpan<float>(sums, count), plane);
            System.Numerics.Tensors.TensorPrimitives.Multiply(plane, 1f / layer._channels, plane);
        }
    }
}
