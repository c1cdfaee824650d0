using System.Runtime.CompilerServices;

namespace EfficientAD.Backends.Cpu.Filtering;

/// <summary>A filtered convolution cut into items of a few blocks of tiles: factors of the input, products with every
/// panel of weights, outputs.</summary>
internal readonly unsafe struct TileProducts<TForm, TKernels>
    where TForm : struct, IFilterForm
    where TKernels : struct, IProductKernels
{
    // Factors of an item and their products with a panel: 3 MB, more than a second-level cache holds, because what
    // streams by is the weights, and every block of an item is one use more of them. Where a single block is as large,
    // so are the weights: 127 MB in M's late layers.
    private const int FloatsPerItem = 768 * 1024, FewestBlocks = 4;

    private readonly TileGrid _grid;
    private readonly int _channelBlocks, _rows, _largest;  // the largest: blocks of an item

    /// <param name="channelBlocks">Blocks of input channels.</param>
    public TileProducts(TileGrid grid, int channelBlocks, int threads)
    {
        (_grid, _channelBlocks, _rows) = (grid, channelBlocks, TKernels.RowsFor(grid.Count));
        int blocks = Math.Max(FewestBlocks, (int)(FloatsPerItem / (BlockFactors + BlockProducts)));
        int items = (BlockCount + blocks - 1) / blocks;
        // Even items, a multiple of the threads where there are enough blocks.
        Items = Math.Min(BlockCount, (items + threads - 1) / threads * threads);
        _largest = blocks;  // whatever the number of tiles
    }

    public TileGrid Grid => _grid;

    public int Items { get; }

    /// <summary>Blocks of <see cref="IProductKernels.RowsFor"/> tiles.</summary>
    public int BlockCount => (_grid.Count + _rows - 1) / _rows;

    /// <summary>Floats of scratch memory that an item needs.</summary>
    public long Scratch => _largest * (BlockFactors + BlockProducts) + 2L * TileTransforms<TForm, TKernels>.Scratch;

    /// <summary>Floats between the factors of two points, [channel block][tile][lane]; an odd number of vectors, so
    /// that the points of a tile do not share a cache set.</summary>
    public nint FactorPitch => OddPitch(_channelBlocks * TKernels.Rows);

    public long BlockFactors => Points * FactorPitch;

    /// <summary>Floats between the products of two points, [tile] panels.</summary>
    public static nint ProductPitch => OddPitch(2 * TKernels.Rows);

    public static long BlockProducts => Points * ProductPitch;

    private static int Points => TileTransforms<TForm, TKernels>.Points;

    /// <summary>Multiply-adds for one output channel, with those of unused places.</summary>
    /// <param name="channelBlocks">Blocks of input channels.</param>
    public double Count(int channelBlocks) => (double)BlockCount * _rows * Points * channelBlocks * TKernels.Lanes;

    public static long PanelWeights(int channelBlocks) =>
        (long)Points * channelBlocks * TKernels.Lanes * 2 * TKernels.Lanes;

    public void Run<TSource, TSink>(int item, in TSource input, float* weights, in TSink sink, float* scratch)
        where TSource : struct, ITileSource
        where TSink : struct, ITileSink
    {
        int first = (int)((long)BlockCount * item / Items), end = (int)((long)BlockCount * (item + 1) / Items);
        float* factors = scratch, products = factors + _largest * BlockFactors;
        float* transform = products + _largest * BlockProducts;
        for (int block = first; block < end; block++)
            for (int channels = 0; channels < input.Blocks; channels++)
                Transform(input, channels, block, channels, transform, factors + (block - first) * BlockFactors);

        int panels = TransformedWeights<TForm, TKernels>.Panels(sink.Channels);
        for (int panel = 0; panel < panels; panel++)
        {
            float* panelWeights = weights + panel * PanelWeights(_channelBlocks);
            Multiply(factors, end - first, _channelBlocks, panelWeights, products);
            Store(products, first, end, panel, transform, sink);
        }
    }

    /// <summary>Factors of one block of tiles and of one block of channels.</summary>
    /// <param name="position">Where the channels lie among those of the factors.</param>
    /// <param name="factors">Of the block of tiles: [point][channel block][tile][lane].</param>
    public void Transform<TSource>(
        in TSource input, int channels, int block, int position, float* scratch, float* factors)
        where TSource : struct, ITileSource => Transform(
        input, channels, _grid, block * _rows, _rows, scratch,
        factors + (nint)position * TKernels.Rows * TKernels.Lanes, FactorPitch);

    /// <summary>Factors of the tiles [first, first + count), as far as there are so many, of one block of channels:
    /// target[point][tile][lane].</summary>
    /// <param name="scratch">Of a transform, and as much again where the source needs room for a tile.</param>
    public static void Transform<TSource>(
        in TSource input, int channels, TileGrid grid, int first, int count, float* scratch, float* target,
        nint pointPitch)
        where TSource : struct, ITileSource
    {
        int lanes = TKernels.Lanes, size = TForm.Outputs, extent = TileTransforms<TForm, TKernels>.Extent;
        float* room = scratch + TileTransforms<TForm, TKernels>.Scratch;
        count = Math.Min(count, grid.Count - first);
        for (int i = 0; i < count; i++)
        {
            (int sample, int row, int column) = grid.At(first + i);
            float* tile = input.Tile(sample, channels, row * size, column * size, extent, room, out nint pitch);
            TileTransforms<TForm, TKernels>.Prefetch(target + (i + 2) * lanes, pointPitch);
            TileTransforms<TForm, TKernels>.Input(tile, pitch, scratch, target + i * lanes, pointPitch);
        }
    }

    /// <summary>Products of some blocks of tiles with one panel of weights.</summary>
    /// <param name="factors">Of the blocks, at the first of the channels to be summed.</param>
    /// <param name="channelBlocks">Blocks of channels to be summed.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Multiply(float* factors, int blocks, int channelBlocks, float* weights, float* products)
    {
        nint factorPitch = FactorPitch, productPitch = ProductPitch;
        nint blockFactors = (nint)BlockFactors, blockProducts = (nint)BlockProducts;
        nint pointWeights = (nint)channelBlocks * TKernels.Lanes * 2 * TKernels.Lanes;
        // While a point is multiplied, each of its blocks asks for a part of the next point's weights.
        nint aheadStep = (2 * TKernels.Lanes + blocks - 1) / blocks;
        for (int point = 0; point < Points; point++)
            for (int block = 0; block < blocks; block++)
            {
                float* pointStart = weights + point * pointWeights;
                float* at = factors + block * blockFactors + point * factorPitch;
                float* following = block + 1 < blocks ? at + blockFactors : factors + (point + 1) * factorPitch;
                TKernels.Multiply(
                    _rows, at, pointStart, channelBlocks, products + block * blockProducts + point * productPitch,
                    following,
                    pointStart + pointWeights + block * channelBlocks * TKernels.Lanes * aheadStep, aheadStep);
            }
    }

    /// <summary>Outputs of the blocks of tiles [first, end) for one panel of channels.</summary>
    public void Store<TSink>(float* products, int first, int end, int panel, float* scratch, in TSink sink)
        where TSink : struct, ITileSink
    {
        int lanes = TKernels.Lanes;
        float* outputs = scratch + TileTransforms<TForm, TKernels>.Scratch;
        int halves = (2 * panel + 1) * lanes < sink.Channels ? 2 : 1;
        for (int block = first; block < end; block++)
        {
            int count = Math.Min(_rows, _grid.Count - block * _rows);
            for (int i = 0; i < count; i++)
            {
                (int, int, int) at = _grid.At(block * _rows + i);
                float* tile = products + (block - first) * BlockProducts + 2 * i * lanes;
                for (int half = 0; half < halves; half++)
                {
                    TileTransforms<TForm, TKernels>.Output(tile + half * lanes, ProductPitch, scratch, outputs);
                    sink.Store(outputs, TForm.Outputs, lanes, (2 * panel + half) * lanes, at);
                }
            }
        }
    }

    private static nint OddPitch(int vectors) => (vectors | 1) * TKernels.Lanes;
}
