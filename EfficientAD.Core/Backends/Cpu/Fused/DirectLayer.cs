using System.Runtime.CompilerServices;
using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Networks.Folding;

namespace EfficientAD.Backends.Cpu.Fused;

/// <summary>A convolution with any stride as one matrix product: the patches of some outputs are gathered, then every
/// panel of weights passes over them. For what no filtering form serves.</summary>
internal abstract unsafe class DirectLayer<TKernels, TVector, TLanes> : FusedLayer
    where TKernels : struct, IProductKernels
    where TLanes : struct, ILanes<TVector>
{
    private const int BlocksPerItem = 8;

    private readonly int _depth, _panels;
    private readonly AlignedMemory _weights, _bias;
    private readonly PlanesSink<TVector, TLanes> _sink;
    private TileGrid _outputs;
    private int _rows;

    /// <param name="depth">Values of a patch in blocks of lanes.</param>
    /// <param name="place">Where in a patch the value under a tap of a channel lies.</param>
    /// <param name="outputs">Tiles of one output.</param>
    protected DirectLayer(
        LayerWeights layer, bool relu, int depth, Func<int, int, int> place, ChannelPlanes output, TileGrid outputs)
    {
        (_depth, _outputs, _rows) = (depth, outputs, TKernels.RowsFor(outputs.Count));
        int panel = 2 * TKernels.Lanes, rows = layer.Shape.N, taps = layer.Shape.Plane;
        _panels = (rows + panel - 1) / panel;
        _bias = layer.PaddedBias(TKernels.Lanes);
        _weights = new AlignedMemory((long)_panels * PanelWeights * sizeof(float));
        ReadOnlySpan<float> weights = layer.Values;
        for (int channel = 0; channel < layer.Shape.C; channel++)
            for (int tap = 0; tap < taps; tap++)
            {
                float* target = (float*)_weights.Address + place(channel, tap) * panel;
                int source = channel * taps + tap;
                for (int row = 0; row < rows; row++, source += layer.Shape.C * taps)
                    target[row / panel * PanelWeights + row % panel] = weights[source];
            }

        _sink = new PlanesSink<TVector, TLanes>(
            output, _bias.Address, rows, outputs.Height, outputs.Width, pool: false, relu);
    }

    public override string Name => $"direct {_depth * TKernels.Lanes} > {_sink.Channels}";

    public override double Products => (double)BlockCount * _rows * _depth * TKernels.Lanes * _sink.Channels;

    public override int Items => (BlockCount + BlocksPerItem - 1) / BlocksPerItem;

    public override long Scratch => (_depth + 2L) * TKernels.Rows * TKernels.Lanes;

    public override void Take(int samples)
    {
        _outputs = _outputs with { Samples = samples };
        _rows = TKernels.RowsFor(_outputs.Count);
    }

    private int BlockCount => (_outputs.Count + _rows - 1) / _rows;

    private nint PanelWeights => (nint)_depth * TKernels.Lanes * 2 * TKernels.Lanes;

    [SkipLocalsInit]
    public override void Run(int item, float* scratch)
    {
        int lanes = TKernels.Lanes, patchPitch = TKernels.Rows * lanes;
        float* products = scratch + _depth * patchPitch;
        var places = stackalloc (int Sample, int Row, int Column)[TKernels.Rows];
        for (int block = item * BlocksPerItem; block < Math.Min(BlockCount, (item + 1) * BlocksPerItem); block++)
        {
            int count = Math.Min(_rows, _outputs.Count - block * _rows);
            for (int i = 0; i < count; i++)
            {
                places[i] = i == 0 ? _outputs.At(block * _rows) : _outputs.After(places[i - 1]);
                Gather(places[i], scratch + i * lanes, patchPitch);
            }

            for (int panel = 0; panel < _panels; panel++)
            {
                float* weights = (float*)_weights.Address + panel * PanelWeights;
                TKernels.Multiply(
                    _rows, scratch, weights, _depth, products, scratch, weights + PanelWeights, 2 * lanes);
                for (int half = 0; half < 2 && (2 * panel + half) * lanes < _sink.Channels; half++)
                    _sink.Store(products + half * lanes, (2 * panel + half) * lanes, places, count);
            }
        }
    }

    /// <param name="output">Whose patch.</param>
    /// <param name="patch">Receives its blocks of lanes, <paramref name="pitch"/> floats apart.</param>
    protected abstract void Gather((int Sample, int Row, int Column) output, float* patch, nint pitch);

    public override void Dispose()
    {
        base.Dispose();
        _weights.Dispose();
        _bias.Dispose();
    }
}
