using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Networks.Folding;

namespace EfficientAD.Backends.Cpu.Fused;

/// <summary>A convolution by a filtering form, perhaps rectified and pooled, from channel planes to channel
/// planes.</summary>
internal sealed unsafe class FilteredLayer<TForm, TKernels, TVector, TLanes> : FusedLayer
    where TForm : struct, IFilterForm
    where TKernels : struct, IProductKernels
    where TLanes : struct, ILanes<TVector>
{
    private readonly ChannelPlanes _input;
    private readonly int _threads;
    private readonly AlignedMemory _weights, _bias;
    private readonly PlanesSink<TVector, TLanes> _sink;
    private TileProducts<TForm, TKernels> _products;

    /// <param name="samples">Images at a time.</param>
    /// <param name="height">Outputs before pooling, even where there is pooling.</param>
    /// <param name="width">Outputs before pooling, even where there is pooling.</param>
    public FilteredLayer(
        ChannelPlanes input, LayerWeights layer, ChannelPlanes output, int samples, int height, int width, bool pool,
        bool relu,
        WorkerPool workers)
    {
        (_input, _threads) = (input, workers.Threads);
        _products = new TileProducts<TForm, TKernels>(
            new TileGrid(samples, height, width, TForm.Outputs), input.Blocks, _threads);
        _weights = layer.Transform<TForm, TKernels>(workers);
        _bias = layer.PaddedBias(TKernels.Lanes);
        _sink = new PlanesSink<TVector, TLanes>(output, _bias.Address, layer.Shape.N, height, width, pool, relu);
    }

    public override string Name =>
        $"F({TForm.Outputs}, {TForm.Kernel}) {_input.Blocks * TKernels.Lanes} > {_sink.Channels}";

    public override double Products => _products.Count(_input.Blocks) * _sink.Channels;

    public override int Items => _products.Items;

    public override long Scratch => _products.Scratch;

    public override void Take(int samples) =>
        _products = new TileProducts<TForm, TKernels>(
            _products.Grid with { Samples = samples }, _input.Blocks, _threads);

    public override void Run(int item, float* scratch) =>
        _products.Run(item, _input, (float*)_weights.Address, _sink, scratch);

    public override void Dispose()
    {
        base.Dispose();
        _weights.Dispose();
        _bias.Dispose();
    }
}
