using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Backends.Cpu.Fused;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu.Stacked;

/// <summary>A layer by a filtering form, and its gradients by another.</summary>
/// <param name="output">Where the output goes, unless a tensor is written instead.</param>
/// <param name="tensor">For what the stack leaves: null elsewhere.</param>
/// <param name="samples">Of the batch.</param>
internal sealed unsafe class FilteredStackLayer<TForm, TGradientForm, TKernels, TVector, TLanes>(
    StackedLayer layer, Activations input, Activations output, Tensor? tensor, int samples, WorkerPool pool,
    bool relu = true) : StackLayer
    where TForm : struct, IFilterForm
    where TGradientForm : struct, IFilterForm
    where TKernels : struct, IProductKernels
    where TLanes : struct, ILanes<TVector>
{
    private readonly TileGrid _outputs = new(samples, output.FullHeight, output.FullWidth, TForm.Outputs);
    private readonly TileGrid _outputGradients = new(
        samples, output.FullHeight, output.FullWidth, TGradientForm.Outputs);
    private readonly TileGrid _inputGradients = new(samples, input.Height, input.Width, TGradientForm.Outputs);
    private readonly ScratchMemory _scratch = new();
    private readonly WeightSums<TGradientForm, TKernels> _sums = new(pool);
    private readonly double[] _biasSums = new double[output.Gradient.Blocks * TKernels.Lanes];

    /// <summary>What the tiles of the forms cover of <paramref name="size"/> values of an input.</summary>
    public static int Extent(int size)
    {
        int outputs = size - TForm.Kernel + 1;
        return TForm.Kernel - 1 + Math.Max(Covered(TForm.Outputs), Covered(TGradientForm.Outputs));

        int Covered(int tile) => (outputs + tile - 1) / tile * tile;
    }

    public override void Forward()
    {
        float* weights = TransformedWeights<TForm, TKernels>.Forward(layer.Weights, pool);
        int channels = layer.Weights.Shape.N;
        if (tensor is null)
        {
            Compute<TForm, ChannelPlanes, PlanesSink<TVector, TLanes>>(_outputs, input.Values, weights, new(
                output.Values, layer.Bias.Address, channels, output.FullHeight, output.FullWidth, output.IsPooled,
                relu, output.Signs));
        }
        else
        {
            Compute<TForm, ChannelPlanes, TensorSink>(
                _outputs, input.Values, weights, new(tensor, layer.Bias.Address, relu, accumulate: false));
        }
    }

    public override void WeightGradient()
    {
        _sums.Add(_outputGradients, input.Values, Gradient(margin: 0), layer.WeightGradient!, _biasSums);
        AddBias(_biasSums, layer.BiasGradient!);
    }

    public override void InputGradient()
    {
        var sink = new GradientSink<TVector, TLanes>(
            input.Gradient, layer.Weights.Shape.C, input.Height, input.Width);
        Compute<TGradientForm, RectifiedGradient<TVector, TLanes>, GradientSink<TVector, TLanes>>(
            _inputGradients, Gradient(TForm.Kernel - 1),
            TransformedWeights<TGradientForm, TKernels>.Backward(layer.Weights, pool), sink);
    }

    public override void Dispose()
    {
        _scratch.Dispose();
        _sums.Dispose();
    }

    private RectifiedGradient<TVector, TLanes> Gradient(int margin) =>
        new(output.Gradient, output.Signs, output.FullHeight, output.FullWidth, output.IsPooled, margin);

    private void Compute<TTiles, TSource, TSink>(TileGrid grid, TSource source, float* weights, TSink sink)
        where TTiles : struct, IFilterForm
        where TSource : struct, ITileSource
        where TSink : struct, ITileSink
    {
        var products = new TileProducts<TTiles, TKernels>(grid, source.Blocks, pool.Threads);
        float* scratch = _scratch.Reserve(products.Scratch * pool.Threads);
        pool.Run(products.Items, (item, worker) =>
            products.Run(item, source, weights, sink, scratch + worker * products.Scratch));
    }
}
