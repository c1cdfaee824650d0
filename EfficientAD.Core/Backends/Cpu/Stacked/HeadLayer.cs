using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu.Stacked;

/// <summary>What follows a stack for some of its samples: from channel planes to a tensor.</summary>
internal abstract class HeadLayer : IDisposable
{
    public abstract void Forward();

    /// <summary>Accumulates into the head's gradients and overwrites its samples' gradient.</summary>
    public abstract void Backward(Tensor gradient);

    public abstract void Dispose();
}

/// <inheritdoc cref="HeadLayer"/>
internal sealed class HeadLayer<TForm, TKernels, TVector, TLanes> : HeadLayer
    where TForm : struct, IFilterForm
    where TKernels : struct, IProductKernels
    where TLanes : struct, ILanes<TVector>
{
    private readonly StackHead _head;
    private readonly Activations _input, _output;
    private readonly FilteredStackLayer<TForm, TForm, TKernels, TVector, TLanes> _layer;
    private readonly WorkerPool _pool;

    /// <param name="hidden">Of all samples.</param>
    /// <param name="output">[head.Count, co, oh, ow].</param>
    public HeadLayer(StackHead head, Activations hidden, Tensor output, WorkerPool pool)
    {
        (_head, _pool, Shape shape) = (head, pool, output.Shape);
        _input = hidden.From(head.First);
        _output = new Activations(
            head.Count, shape.C / TLanes.Width, shape.H, shape.W, isPooled: false, TLanes.Width, extent: null,
            isTrained: head.WeightGradient is not null);
        _layer = new FilteredStackLayer<TForm, TForm, TKernels, TVector, TLanes>(
            new StackedLayer(head.Weights, head.Bias, head.WeightGradient, head.BiasGradient, IsPooled: false),
            _input, _output,
            output, head.Count, pool, relu: false);
    }

    public override void Forward() => _layer.Forward();

    public override void Backward(Tensor gradient)
    {
        if (SparseGradient.TryFind(gradient) is { } few)
        {
            few.AccumulateBiasGradient(_head.BiasGradient!);
            few.AccumulateWeightGradient<TVector, TLanes>(_input.Values, _head.WeightGradient!, _pool);
            few.WriteInputGradient<TVector, TLanes>(_head.Weights, _input.Gradient, _head.Count, _pool);
            return;
        }

        _output.Gradient.Lay(gradient, 0, 0, gradient.Shape.W, _pool);
        _layer.WeightGradient();
        _layer.InputGradient();
    }

    public override void Dispose()
    {
        _layer.Dispose();
        _output.Dispose();
    }
}
