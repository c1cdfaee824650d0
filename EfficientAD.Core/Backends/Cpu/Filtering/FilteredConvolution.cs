using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu.Filtering;

/// <summary>Convolution with stride 1 by one minimal filtering form: tiles of the input are transformed, multiplied
/// point by point with transformed weights (matrix products over channels), and the products transformed
/// back.</summary>
/// <remarks>A thread takes some blocks of tiles at a time, whose factors stay in its caches while the weights stream
/// by. Every output is one chain of sums over the channels: same bits for any number of threads.</remarks>
internal sealed unsafe class FilteredConvolution<TForm, TKernels>(WorkerPool pool) : IDisposable
    where TForm : struct, IFilterForm
    where TKernels : struct, IProductKernels
{
    private readonly ScratchMemory _input = new(), _gradient = new(), _scratch = new();
    private readonly WeightSums<TForm, TKernels> _sums = new(pool);

    /// <summary>Products of this form for an output map, whole blocks and tiles, in relation to those of the direct
    /// way.</summary>
    public static double Share(Shape output)
    {
        var grid = new TileGrid(output.N, output.H, output.W, TForm.Outputs);
        int rows = (grid.Count + TKernels.Rows - 1) / TKernels.Rows * TKernels.Rows;
        return (double)rows * TileTransforms<TForm, TKernels>.Points
            / ((double)output.N * output.Plane * TForm.Kernel * TForm.Kernel);
    }

    public void Forward(Tensor input, Tensor weights, Tensor? bias, int padding, bool relu, Tensor output)
    {
        var grid = new TileGrid(output.Shape.N, output.Shape.H, output.Shape.W, TForm.Outputs);
        var sink = new TensorSink(output, bias?.Address ?? 0, relu, accumulate: false);
        Compute(
            Lay(input, padding, grid, _input), grid, TransformedWeights<TForm, TKernels>.Forward(weights, pool), sink);
    }

    public void InputGradient(Tensor outputGradient, Tensor weights, int padding, Tensor inputGradient)
    {
        Shape shape = inputGradient.Shape;
        var grid = new TileGrid(shape.N, shape.H, shape.W, TForm.Outputs);
        var sink = new TensorSink(inputGradient, 0, relu: false, accumulate: true);
        ChannelPlanes planes = Lay(outputGradient, TForm.Kernel - 1 - padding, grid, _gradient);
        Compute(planes, grid, TransformedWeights<TForm, TKernels>.Backward(weights, pool), sink);
    }

    public void WeightGradient(Tensor input, Tensor outputGradient, int padding, Tensor weightGradient)
    {
        var grid = new TileGrid(outputGradient.Shape.N, outputGradient.Shape.H, outputGradient.Shape.W, TForm.Outputs);
        ChannelPlanes values = Lay(input, padding, grid, _input);
        ChannelPlanes gradients = ChannelPlanes.Lay(
            outputGradient, 0, 0, grid.Rows * TForm.Outputs, grid.Columns * TForm.Outputs, TKernels.Lanes, _gradient,
            pool);
        _sums.Add(grid, values, gradients, weightGradient);
    }

    public void Dispose()
    {
        foreach (IDisposable part in new IDisposable[] { _input, _gradient, _scratch, _sums }) part.Dispose();
    }

    private ChannelPlanes Lay(Tensor tensor, int padding, TileGrid grid, ScratchMemory memory) => ChannelPlanes.Lay(
        tensor, padding, padding, grid.Rows * TForm.Outputs + TForm.Kernel - 1,
        grid.Columns * TForm.Outputs + TForm.Kernel - 1,
        TKernels.Lanes, memory, pool);

    private void Compute(ChannelPlanes input, TileGrid grid, float* weights, TensorSink sink)
    {
        var products = new TileProducts<TForm, TKernels>(grid, input.Blocks, pool.Threads);
        float* scratch = _scratch.Reserve(products.Scratch * pool.Threads);
        pool.Run(products.Items, (item, worker) =>
            products.Run(item, input, weights, sink, scratch + worker * products.Scratch));
    }
}
