using System.Runtime.Intrinsics;
using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu.Stacked;

/// <summary>A stack whose activations are channel planes from the first layer's output to the last input.</summary>
internal sealed class CpuLayerStack : LayerStack
{
    private readonly CpuBackend _backend;
    private readonly Activations[] _activations;
    private readonly StackLayer[] _layers;
    private readonly HeadLayer[] _heads;

    private CpuLayerStack(
        CpuBackend backend, IReadOnlyList<StackedLayer> layers, IReadOnlyList<StackHead> heads, Tensor[] outputs,
        Activations[] activations, StackLayer[] layerParts, HeadLayer[] headParts)
    {
        (_backend, Layers, Heads, Outputs) = (backend, layers, heads, outputs);
        (_activations, _layers, _heads) = (activations, layerParts, headParts);
    }

    public override IReadOnlyList<StackedLayer> Layers { get; }

    public override IReadOnlyList<StackHead> Heads { get; }

    public override IReadOnlyList<Tensor> Outputs { get; }

    /// <returns>Null where a layer does not fit.</returns>
    public static CpuLayerStack? TryCreate(
        CpuBackend backend, Tensor input, IReadOnlyList<StackedLayer> layers, IReadOnlyList<StackHead> heads) =>
        backend.InstructionSet switch
        {
            InstructionSet.Avx512 => Builder<Vector512<float>, Lanes512, WideProducts<Vector512<float>, Lanes512>>
                .TryCreate(backend, input, layers, heads),
            InstructionSet.Avx2 => Builder<Vector256<float>, Lanes256, NarrowProducts<Vector256<float>, Lanes256>>
                .TryCreate(backend, input, layers, heads),
            _ => Builder<Vector128<float>, Lanes128, NarrowProducts<Vector128<float>, Lanes128>>
                .TryCreate(backend, input, layers, heads),
        };

    public override void Forward(int layer) => _layers[layer].Forward();

    public override void ForwardHead(int head) => _heads[head].Forward();

    public override void BeginBackward(int output, Tensor gradient)
    {
        if (_heads.Length > 0)
        {
            _heads[output].Backward(gradient);
            return;
        }

        _backend.ReluBackward(Outputs[0], gradient);
        _activations[^1].Gradient.Lay(gradient, 0, 0, gradient.Shape.W, _backend.Pool);
    }

    public override void WeightGradient(int layer) => _layers[layer].WeightGradient();

    public override void InputGradient(int layer) => _layers[layer].InputGradient();

    public override void Dispose()
    {
        IDisposable[] parts = [.. _heads, .. _layers, .. _activations, .. Outputs];
        foreach (IDisposable part in parts) part.Dispose();
    }

    private static class Builder<TVector, TLanes, TKernels>
        where TLanes : struct, ILanes<TVector>
        where TKernels : struct, IProductKernels
    {
        public static CpuLayerStack? TryCreate(
            CpuBackend backend, Tensor input, IReadOnlyList<StackedLayer> layers, IReadOnlyList<StackHead> heads)
        {
            if (!Fits(input.Shape, layers, heads)) return null;
            Shape hidden = OutputShape(layers, input.Shape);
            IEnumerable<Shape> shapes = heads.Count == 0 ? [hidden] : heads.Select(head => head.OutputShape(hidden));
            Tensor[] outputs = [.. shapes.Select(backend.Allocate)];
            var activations = new Activations[layers.Count];
            var parts = new StackLayer[layers.Count];
            (int height, int width) = (input.Shape.H, input.Shape.W);
            for (int i = 0; i < layers.Count; i++)
            {
                StackedLayer layer = layers[i];
                (height, width) = (layer.OutputSize(height), layer.OutputSize(width));
                StackForms? readers =
                    i + 1 < layers.Count ? FormsOf(layers[i + 1]) : heads.Count > 0 ? FormsOf(heads[0]) : null;
                activations[i] = new Activations(
                    input.Shape.N, layer.Weights.Shape.N / TLanes.Width, height, width, layer.IsPooled, TLanes.Width,
                    readers is null ? null : readers.Extent, layer.WeightGradient is not null);
                parts[i] = i == 0
                    ? new FirstStackLayer<TKernels, TVector, TLanes>(layer, input, activations[0], backend.Pool)
                    : FormsOf(layer).Layer(
                        layer, activations[i - 1], activations[i], readers is null ? outputs[0] : null, input.Shape.N,
                        backend.Pool);
            }

            HeadLayer[] headParts =
                [.. heads.Select((head, i) => FormsOf(head).Head(head, activations[^1], outputs[i], backend.Pool))];
            return new CpuLayerStack(backend, layers, heads, outputs, activations, parts, headParts);
        }

        private static bool Fits(Shape input, IReadOnlyList<StackedLayer> layers, IReadOnlyList<StackHead> heads)
        {
            Shape first = layers[0].Weights.Shape;
            IEnumerable<Shape> filtered = layers.Skip(1).Select(layer => layer.Weights.Shape)
                .Concat(heads.Select(head => head.Weights.Shape));
            return layers.Count > 1 && layers[0].IsPooled && !layers[^1].IsPooled
                && first.W == FirstStackLayer<TKernels, TVector, TLanes>.KernelWidth
                && layers[0].OutputSize(input.W) >= TKernels.PooledPixels
                && first.N % (2 * TLanes.Width) == 0 && filtered.All(weights => weights.N % (2 * TLanes.Width) == 0)
                && filtered.All(weights => weights is { H: 1, W: 1 } or { H: 3, W: 3 } or { H: 4, W: 4 });
        }

        // Gradients turn over no rectifier: large tiles may compute them, where weights are few beside the tiles.
        private static StackForms FormsOf(StackedLayer layer) => layer.Weights.Shape.H switch
        {
            4 => new StackForms<Form4x4<TVector, TLanes>, Form6x4<TVector, TLanes>, TKernels, TVector, TLanes>(),
            3 => new StackForms<Form6x3<TVector, TLanes>, Form6x3<TVector, TLanes>, TKernels, TVector, TLanes>(),
            _ => new StackForms<Form1x1<TVector, TLanes>, Form1x1<TVector, TLanes>, TKernels, TVector, TLanes>(),
        };

        private static StackForms FormsOf(StackHead head) => head.Weights.Shape.H switch
        {
            4 => new StackForms<Form4x4<TVector, TLanes>, Form4x4<TVector, TLanes>, TKernels, TVector, TLanes>(),
            3 => new StackForms<Form6x3<TVector, TLanes>, Form6x3<TVector, TLanes>, TKernels, TVector, TLanes>(),
            _ => new StackForms<Form1x1<TVector, TLanes>, Form1x1<TVector, TLanes>, TKernels, TVector, TLanes>(),
        };
    }
}
