using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu.Stacked;

/// <summary>The filtering forms of a layer, one for its outputs and one for its gradients.</summary>
internal abstract class StackForms
{
    /// <summary>What the tiles cover of <paramref name="size"/> values of the layer's input.</summary>
    public abstract int Extent(int size);

    /// <param name="tensor">Written instead of <paramref name="output"/>, if any.</param>
    public abstract StackLayer Layer(
        StackedLayer layer, Activations input, Activations output, Tensor? tensor, int samples, WorkerPool pool);

    public abstract HeadLayer Head(StackHead head, Activations hidden, Tensor output, WorkerPool pool);
}

/// <inheritdoc cref="StackForms"/>
internal sealed class StackForms<TForm, TGradientForm, TKernels, TVector, TLanes> : StackForms
    where TForm : struct, IFilterForm
    where TGradientForm : struct, IFilterForm
    where TKernels : struct, IProductKernels
    where TLanes : struct, ILanes<TVector>
{
    public override int Extent(int size) =>
        FilteredStackLayer<TForm, TGradientForm, TKernels, TVector, TLanes>.Extent(size);

    public override StackLayer Layer(
        StackedLayer layer, Activations input, Activations output, Tensor? tensor, int samples, WorkerPool pool) =>
        new FilteredStackLayer<TForm, TGradientForm, TKernels, TVector, TLanes>(
            layer, input, output, tensor, samples, pool);

    public override HeadLayer Head(StackHead head, Activations hidden, Tensor output, WorkerPool pool) =>
        new HeadLayer<TForm, TKernels, TVector, TLanes>(head, hidden, output, pool);
}
