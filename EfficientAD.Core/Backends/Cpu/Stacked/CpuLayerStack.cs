using System.Runtime.Intrinsics;
using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu.Stacked;

/// <summary>A stack whose activations are channel planes from the first layer's output to the last one's input.</summary>
internal sealed class CpuLayerStack : LayerStack
{
    private readonly CpuBackend _backend;
    private readonly Activations[] _activations;
    private readonly StackLayer[] _layers;

    private CpuLayerStack(
        CpuBackend backend, IReadOnlyList<StackedLayer> layers, Tensor output, Activations[] activations, StackLayer[] parts)
    {
        (_backend, Layers, Output) = (backend, layers, output);
        (_activations, _layers) = (activations, parts);
    }

    public override IReadOnlyList<StackedLayer> Layers { get; }

    public override Tensor Output { get; }

    /// <returns>Null where a layer does not fit.</returns>
    public static CpuLayerStack? TryCreate(CpuBackend backend, Tensor input, IReadOnlyList<StackedLayer> layers) =>
        backend.InstructionSet switch
        {
            InstructionSet.Avx512 => Builder<Vector512<float>, Lanes512, WideProducts<Vector512<float>, Lanes512>>
                .TryCreate(backend, input, layers),
            InstructionSet.Avx2 => Builder<Vector256<float>, Lanes256, NarrowProducts<Vector256<float>, Lanes256>>
                .TryCreate(backend, input, layers),
            _ => Builder<Vector128<float>, Lanes128, NarrowProducts<Vector128<float>, Lanes128>>
                .TryCreate(backend, input, layers),
        };

    public override void Forward(int layer) => _layers[layer].Forward();

    public override void BeginBackward(Tensor gradient)
    {
        _backend.ReluBackward(Output, gradient);
        _activations[^1].Gradient.Lay(gradient, 0, 0, gradient.Shape.W, _backend.Pool);
    }

    public override void WeightGradient(int layer) => _layers[layer].WeightGradient();

    public override void InputGradient(int layer) => _layers[layer].InputGradient();

    public override void Dispose()
    {
        foreach (StackLayer layer in _layers) layer.Dispose();
        foreach (Activations activations in _activations) activations.Dispose();
        Output.Dispose();
    }

    private static class Builder<TVector, TLanes, TKernels>
        where TLanes : struct, ILanes<TVector>
        where TKernels : struct, IProductKernels
    {
        public static CpuLayerStack? TryCreate(CpuBackend backend, Tensor input, IReadOnlyList<StackedLayer> layers)
        {
            if (!Fits(input.Shape, layers)) return null;
            Tensor output = backend.Allocate(OutputShape(layers, input.Shape));
            var activations = new Activations[layers.Count];
            var parts = new StackLayer[layers.Count];
            (int height, int width) = (input.Shape.H, input.Shape.W);
            for (int i = 0; i < layers.Count; i++)
            {
                StackedLayer layer = layers[i];
                (height, width) = (layer.OutputSize(height), layer.OutputSize(width));
                bool isLast = i == layers.Count - 1;
                activations[i] = new Activations(
                    input.Shape.N, layer.Weights.Shape.N / TLanes.Width, height, width, layer.IsPooled, TLanes.Width,
                    isLast ? null : Extent(layers[i + 1]), layer.WeightGradient is not null);
                parts[i] = i == 0
                    ? new FirstStackLayer<TKernels, TVector, TLanes>(layer, input, activations[0], backend.Pool)
                    : Filtered(layer, activations[i - 1], activations[i], isLast ? output : null, input.Shape.N, backend.Pool);
            }

            return new CpuLayerStack(backend, layers, output, activations, parts);
        }

        private static bool Fits(Shape input, IReadOnlyList<StackedLayer> layers)
        {
            Shape first = layers[0].Weights.Shape;
            return layers.Count > 1 && layers[0].IsPooled && !layers[^1].IsPooled
                && first.W == FirstStackLayer<TKernels, TVector, TLanes>.KernelWidth
                && layers[0].OutputSize(input.W) >= TKernels.PooledPixels
                && layers.All(layer => layer.Weights.Shape.N % (2 * TLanes.Width) == 0)
                && layers.Skip(1).All(layer => layer.Weights.Shape is { H: 1, W: 1 } or { H: 3, W: 3 } or { H: 4, W: 4 });
        }

        private static Func<int, int> Extent(StackedLayer reader) => reader.Weights.Shape.H switch
        {
            4 => FilteredStackLayer<Form4x4<TVector, TLanes>, Form6x4<TVector, TLanes>, TKernels, TVector, TLanes>.Extent,
            3 => FilteredStackLayer<Form6x3<TVector, TLanes>, Form6x3<TVector, TLanes>, TKernels, TVector, TLanes>.Extent,
            _ => FilteredStackLayer<Form1x1<TVector, TLanes>, Form1x1<TVector, TLanes>, TKernels, TVector, TLanes>.Extent,
        };

        private static StackLayer Filtered(
            StackedLayer layer, Activations input, Activations output, Tensor? tensor, int samples, WorkerPool pool) =>
            layer.Weights.Shape.H switch
            {
                4 => new FilteredStackLayer<Form4x4<TVector, TLanes>, Form6x4<TVector, TLanes>, TKernels, TVector, TLanes>(
                    layer, input, output, tensor, samples, pool),
                3 => new FilteredStackLayer<Form6x3<TVector, TLanes>, Form6x3<TVector, TLanes>, TKernels, TVector, TLanes>(
                    layer, input, output, tensor, samples, pool),
                _ => new FilteredStackLayer<Form1x1<TVector, TLanes>, Form1x1<TVector, TLanes>, TKernels, TVector, TLanes>(
                    layer, input, output, tensor, samples, pool),
            };
    }
}
