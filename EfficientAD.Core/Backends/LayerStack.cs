using EfficientAD.Tensors;

namespace EfficientAD.Backends;

/// <summary>A convolution without padding, rectified and perhaps pooled, that is part of a
/// <see cref="LayerStack"/>.</summary>
/// <param name="Weights">[co, ci, k, k].</param>
/// <param name="Bias">[1, co, 1, 1].</param>
/// <param name="WeightGradient">Accumulated into; null where the layer is frozen, as is
/// <paramref name="BiasGradient"/>.</param>
/// <param name="IsPooled">Whether the mean over windows of 2 x 2 follows, stride 2; a last odd row or column is
/// dropped.</param>
public readonly record struct StackedLayer(
    Tensor Weights, Tensor Bias, Tensor? WeightGradient, Tensor? BiasGradient, bool IsPooled)
{
    /// <summary>Extent of the layer's output for an extent of its input.</summary>
    public int OutputSize(int input) => (input - Weights.Shape.H + 1) / (IsPooled ? 2 : 1);
}

/// <summary>A convolution without padding behind the last layer of a <see cref="LayerStack"/>, not rectified, for some
/// of the batch.</summary>
/// <param name="First">Of its samples.</param>
/// <param name="Count">Of its samples.</param>
/// <param name="Weights">[co, ci, k, k].</param>
/// <param name="Bias">[1, co, 1, 1].</param>
/// <param name="WeightGradient">Accumulated into; null where the layer is frozen, as is
/// <paramref name="BiasGradient"/>.</param>
public readonly record struct StackHead(
    int First, int Count, Tensor Weights, Tensor Bias, Tensor? WeightGradient, Tensor? BiasGradient)
{
    /// <param name="hidden">What the stack's last layer gives for all samples.</param>
    public Shape OutputShape(Shape hidden) =>
        new(Count, Weights.Shape.N, hidden.H - Weights.Shape.H + 1, hidden.W - Weights.Shape.W + 1);
}

/// <summary>Layers one behind the other whose activations and gradients only their backend sees, in whatever layout it
/// likes: between two convolutions nothing is laid out anew, and what a pool dropped is never written.</summary>
/// <remarks>Made for fixed tensors by <see cref="IBackend.Stack"/>. Not thread-safe.</remarks>
public abstract class LayerStack : IDisposable
{
    /// <summary>From the stack's input to its output.</summary>
    public abstract IReadOnlyList<StackedLayer> Layers { get; }

    /// <summary>Read what the last layer leaves, each some samples of its own; perhaps none.</summary>
    public abstract IReadOnlyList<StackHead> Heads { get; }

    /// <summary>What the heads overwrite; where there are none, what the last layer does: [n, co, oh, ow].</summary>
    public abstract IReadOnlyList<Tensor> Outputs { get; }

    /// <summary>What the layers give for an input.</summary>
    public static Shape OutputShape(IReadOnlyList<StackedLayer> layers, Shape input) => new(
        input.N, layers[^1].Weights.Shape.N,
        layers.Aggregate(input.H, (size, layer) => layer.OutputSize(size)),
        layers.Aggregate(input.W, (size, layer) => layer.OutputSize(size)));

    /// <summary>Runs one layer on what the one before left.</summary>
    public abstract void Forward(int layer);

    /// <summary>Runs a head on what the last layer left.</summary>
    public abstract void ForwardHead(int head);

    /// <summary>Takes over the gradient of an output; the first calls of a backward pass, one for each. A head
    /// accumulates into its gradients.</summary>
    /// <param name="gradient">Of the output's shape; where the last layer's is asked for, it is set to zero wherever
    /// the output is.</param>
    public abstract void BeginBackward(int output, Tensor gradient);

    /// <summary>Accumulates into the layer's gradients.</summary>
    public abstract void WeightGradient(int layer);

    /// <summary>Hands the gradient on to the layer before; not for the first layer, whose input is an image.</summary>
    public abstract void InputGradient(int layer);

    public abstract void Dispose();
}
