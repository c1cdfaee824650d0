using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Backends.Cpu.Fused;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu.Stacked;

/// <summary>A layer by a filtering form, forward and both gradients.</summary>
/// <param name="output">Where the output goes; the stack's last layer writes a tensor instead.</param>
internal sealed unsafe class FilteredStackLayer<TForm, TKernels, TVector, TLanes>(
    StackedLayer layer, Activations input, Activations output, Tensor? tensor, int samples, WorkerPool pool) : StackLayer
    where TForm : struct, IFilterForm
    where TKernels : struct, IProductKernels
    where TLanes : struct, ILanes<TVector>
{
    private readonly TileGrid _outputs = new(samples, output.FullHeight, output.FullWidth, TForm.Outputs);
    private readonly TileGrid _inputs = new(samples, input.Height, input.Width, TForm.Outputs);
    private readonly ScratchMemory _scratch = new();
    private readonly WeightSums<TForm, TKernels> _sums = new(pool);
    private readonly double[] _biasSums = new double[output.Gradient.Blocks * TKernels.Lanes];

    /// <summary>What the tiles of the form cover of <paramref name="size"/> values of an input.</summary>
    public static int Extent(int size)
    {
        int outputs = size - TForm.Kernel + 1;
        return Math.Max(size, (outputs + TForm.Outputs - 1) / TForm.Outputs * TForm.Outputs + TForm.Kernel - 1);
    }

    public override void Forward()
    {
        float* weights = TransformedWeights<TForm, TKernels>.Forward(layer.Weights, pool);
        int channels = layer.Weights.Shape.N;
        if (tensor is null)
        {
            Compute(_outputs, input.Values, weights, new PlanesSink<TVector, TLanes>(
                output.Values, layer.Bias.Address, channels, output.FullHeight, output.FullWidth, output.IsPooled,
                relu: true, output.Signs));
        }
        else
        {
            Compute(_outputs, input.Values, weights, new TensorSink(tensor, layer.Bias.Address, relu: true, accumulate: false));
        }
    }

    public override void WeightGradient()
    {
        _sums.Add(_outputs, input.Values, Gradient(margin: 0), layer.WeightGradient!, _biasSums);
        AddBias(_biasSums, layer.BiasGradient!);
    }

    public override void InputGradient() => Compute(
        _inputs, Gradient(TForm.Kernel - 1), TransformedWeights<TForm, TKernels>.Backward(layer.Weights, pool),
        new GradientSink<TVector, TLanes>(input.Gradient, layer.Weights.Shape.C, input.Height, input.Width));

    public override void Dispose()
    {
        _scratch.Dispose();
        _sums.Dispose();
    }

    private RectifiedGradient<TVector, TLanes> Gradient(int margin) =>
        new(output.Gradient, output.Signs, output.FullHeight, output.FullWidth, output.IsPooled, margin);

    private void Compute<TSource, TSink>(TileGrid grid, TSource source, float* weights, TSink sink)
        where TSource : struct, ITileSource
        where TSink : struct, ITileSink
    {
        var products = new TileProducts<TForm, TKernels>(grid, source.Blocks, pool.Threads);
        float* scratch = _scratch.Reserve(products.Scratch * pool.Threads);
        pool.Run(products.Items, (item, worker) => products.Run(item, source, weights, sink, scratch + worker * products.Scratch));
    }
}
