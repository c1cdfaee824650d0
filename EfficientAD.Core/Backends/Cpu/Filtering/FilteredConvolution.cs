using System.Runtime.CompilerServices;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu.Filtering;

/// <summary>Convolution with stride 1 by one minimal filtering form: tiles of the input are transformed, multiplied point by
/// point with transformed weights (matrix products over channels), and the products transformed back.</summary>
/// <remarks>A thread takes some blocks of tiles at a time, whose factors stay in its caches while the weights stream by. Every output is one chain of sums over the channels: same bits for any number of threads.</remarks>
internal sealed unsafe partial class FilteredConvolution<TForm, TKernels>(WorkerPool pool) : IDisposable
    where TForm : struct, IFilterForm
    where TKernels : struct, IProductKernels
{
    // Factors of the blocks of one item: 3 MB, more than a second-level cache holds, because what streams by is the weights,
    // and every block of an item is one use more of them.
    private const int FactorsPerItem = 768 * 1024;

    private readonly ScratchMemory _input = new(), _gradient = new(), _scratch = new(), _sums = new();

    private static int Extent => TileTransforms<TForm, TKernels>.Extent;

    private static int Points => TileTransforms<TForm, TKernels>.Points;

    /// <summary>Products of this form for an output map, whole blocks and tiles, in relation to those of the direct way.</summary>
    public static double Share(Shape output)
    {
        var grid = new TileGrid(output.N, output.H, output.W, TForm.Outputs);
        int rows = (grid.Count + TKernels.Rows - 1) / TKernels.Rows * TKernels.Rows;
        return (double)rows * Points / ((double)output.N * output.Plane * TForm.Kernel * TForm.Kernel);
    }

    public void Forward(Tensor input, Tensor weights, Tensor? bias, int padding, bool relu, Tensor output)
    {
        var grid = new TileGrid(output.Shape.N, output.Shape.H, output.Shape.W, TForm.Outputs);
        var sink = new TensorSink(output, bias?.Address ?? 0, relu, accumulate: false);
        Compute(Lay(input, padding, grid, _input), grid, TransformedWeights<TForm, TKernels>.Forward(weights, pool), sink);
    }

    public void InputGradient(Tensor outputGradient, Tensor weights, int padding, Tensor inputGradient)
    {
        Shape shape = inputGradient.Shape;
        var grid = new TileGrid(shape.N, shape.H, shape.W, TForm.Outputs);
        var sink = new TensorSink(inputGradient, 0, relu: false, accumulate: true);
        ChannelPlanes planes = Lay(outputGradient, TForm.Kernel - 1 - padding, grid, _gradient);
        Compute(planes, grid, TransformedWeights<TForm, TKernels>.Backward(weights, pool), sink);
    }

    public void Dispose()
    {
        foreach (ScratchMemory memory in new[] { _input, _gradient, _scratch, _sums }) memory.Dispose();
    }

    private ChannelPlanes Lay(Tensor tensor, int padding, TileGrid grid, ScratchMemory memory) => ChannelPlanes.Lay(
        tensor, padding, padding, grid.Rows * TForm.Outputs + TForm.Kernel - 1, grid.Columns * TForm.Outputs + TForm.Kernel - 1,
        TKernels.Lanes, memory, pool);

    private void Compute(ChannelPlanes input, TileGrid grid, float* weights, TensorSink sink)
    {
        int blockCount = (grid.Count + TKernels.Rows - 1) / TKernels.Rows, panels = TransformedWeights<TForm, TKernels>.Panels(sink.Channels);
        var layout = new ProductLayout(input.Blocks);
        // Even items, a multiple of the threads where there are enough blocks.
        int items = Math.Max(1, (int)(blockCount * layout.BlockFactors / FactorsPerItem));
        items = Math.Min(blockCount, (items + pool.Threads - 1) / pool.Threads * pool.Threads);
        int largest = (blockCount + items - 1) / items;
        long each = largest * (layout.BlockFactors + ProductLayout.BlockProducts) + 2L * TileTransforms<TForm, TKernels>.Scratch;
        float* scratch = _scratch.Reserve(each * pool.Threads);
        pool.Run(items, (item, worker) =>
        {
            int first = (int)((long)blockCount * item / items), end = (int)((long)blockCount * (item + 1) / items);
            float* factors = scratch + worker * each, products = factors + largest * layout.BlockFactors;
            float* transform = products + largest * ProductLayout.BlockProducts;
            for (int block = first; block < end; block++)
            {
                TransformTiles(input, grid, block * TKernels.Rows, TKernels.Rows, transform,
                    factors + (block - first) * layout.BlockFactors, layout.FactorPitch);
            }

            for (int panel = 0; panel < panels; panel++)
            {
                MultiplyPanel(layout, factors, end - first, weights + panel * layout.PanelWeights, products);
                StorePanel(layout, products, grid, first, end, panel, transform, sink);
            }
        });
    }

    /// <summary>Where factors and products of a block of tiles lie.</summary>
    private readonly record struct ProductLayout(int ChannelBlocks)
    {
        /// <summary>Floats between the factors of two points, [channel block][tile][lane]; an odd number of vectors, so that
        /// the points of a tile do not share a cache set.</summary>
        public nint FactorPitch => OddPitch(ChannelBlocks * TKernels.Rows);

        /// <summary>Floats between the products of two points, [tile] panels.</summary>
        public static nint ProductPitch => OddPitch(2 * TKernels.Rows);

        public long BlockFactors => Points * FactorPitch;

        public static long BlockProducts => Points * ProductPitch;

        public long PointWeights => (long)ChannelBlocks * TKernels.Lanes * 2 * TKernels.Lanes;

        public long PanelWeights => Points * PointWeights;

        private static nint OddPitch(int vectors) => (vectors | 1) * TKernels.Lanes;
    }

    /// <summary>Factors of the tiles [first, first + count) for all channels: target[point][channel block][tile][lane].</summary>
    private static void TransformTiles(
        ChannelPlanes input, TileGrid grid, int first, int count, float* scratch, float* target, nint pointPitch)
    {
        for (int block = 0; block < input.Blocks; block++)
            TransformTiles(input, block, grid, first, count, scratch, target + (nint)block * count * TKernels.Lanes, pointPitch);
    }

    private static void TransformTiles(
        ChannelPlanes input, int block, TileGrid grid, int first, int count, float* scratch, float* target, nint pointPitch)
    {
        int lanes = TKernels.Lanes, pitch = input.Pitch * lanes;
        for (int i = 0; i < Math.Min(count, grid.Count - first); i++)
        {
            (int sample, int row, int column) = grid.At(first + i);
            float* tile = input.Plane(sample, block) + ((long)row * pitch + column * lanes) * TForm.Outputs;
            TileTransforms<TForm, TKernels>.Input(tile, pitch, scratch, target + i * lanes, pointPitch);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyPanel(in ProductLayout layout, float* factors, int blocks, float* weights, float* products)
    {
        nint factorPitch = layout.FactorPitch, productPitch = ProductLayout.ProductPitch;
        nint blockFactors = (nint)layout.BlockFactors, blockProducts = (nint)ProductLayout.BlockProducts;
        for (int point = 0; point < Points; point++)
            for (int block = 0; block < blocks; block++)
            {
                TKernels.Multiply(
                    factors + block * blockFactors + point * factorPitch, weights + point * (nint)layout.PointWeights,
                    layout.ChannelBlocks, products + block * blockProducts + point * productPitch);
            }
    }

    private static void StorePanel(
        in ProductLayout layout, float* products, TileGrid grid, int firstBlock, int endBlock, int panel, float* scratch, TensorSink sink)
    {
        int lanes = TKernels.Lanes;
        float* outputs = scratch + TileTransforms<TForm, TKernels>.Scratch;
        for (int block = firstBlock; block < endBlock; block++)
            for (int i = 0; i < Math.Min(TKernels.Rows, grid.Count - block * TKernels.Rows); i++)
                for (int half = 0; half < 2 && (2 * panel + half) * lanes < sink.Channels; half++)
                {
                    float* tile = products + (block - firstBlock) * ProductLayout.BlockProducts + (2 * i + half) * lanes;
                    TileTransforms<TForm, TKernels>.Output(tile, ProductLayout.ProductPitch, scratch, outputs);
                    sink.Store(outputs, TForm.Outputs, lanes, (2 * panel + half) * lanes, grid.At(block * TKernels.Rows + i));
                }
    }
}
