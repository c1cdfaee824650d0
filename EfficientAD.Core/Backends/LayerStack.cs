using EfficientAD.Tensors;

namespace EfficientAD.Backends;

/// <summary>A convolution without padding, rectified and perhaps pooled, that is part of a <see cref="LayerStack"/>.</summary>
/// <param name="Weights">[co, ci, k, k].</param>
/// <param name="Bias">[1, co, 1, 1].</param>
/// <param name="WeightGradient">Accumulated into; null where the layer is frozen, as is <paramref name="BiasGradient"/>.</param>
/// <param name="IsPooled">Whether the mean over windows of 2 x 2 follows, stride 2; a last odd row or column is dropped.</param>
public readonly record struct StackedLayer(
    Tensor Weights, Tensor Bias, Tensor? WeightGradient, Tensor? BiasGradient, bool IsPooled)
{
    /// <summary>Extent of the layer's output for an extent of its input.</summary>
    public int OutputSize(int input) => (input - Weights.Shape.H + 1) / (IsPooled ? 2 : 1);
}

/// <summary>Layers one behind the other whose activations and gradients only their backend sees, in whatever layout it likes:
/// between two convolutions nothing is laid out anew, and what a pool dropped is never written.</summary>
/// <remarks>Made for fixed tensors by <see cref="IBackend.Stack"/>. Not thread-safe.</remarks>
public abstract class LayerStack : IDisposable
{
    /// <summary>From the stack's input to its output.</summary>
    public abstract IReadOnlyList<StackedLayer> Layers { get; }

    /// <summary>What the last layer overwrites: [n, co, oh, ow].</summary>
    public abstract Tensor Output { get; }

    /// <summary>What the layers give for an input.</summary>
    public static Shape OutputShape(IReadOnlyList<StackedLayer> layers, Shape input) => new(
        input.N, layers[^1].Weights.Shape.N,
        layers.Aggregate(input.H, (size, layer) => layer.OutputSize(size)),
        layers.Aggregate(input.W, (size, layer) => layer.OutputSize(size)));

    /// <summary>Runs one layer on what the one before left; the last one writes the output.</summary>
    public abstract void Forward(int layer);

    /// <summary>Takes over the gradient of the stack's output; the first call of a backward pass.</summary>
    /// <param name="gradient">Of the output's shape; set to zero wherever the output is.</param>
    public abstract void BeginBackward(Tensor gradient);

    /// <summary>Accumulates into the layer's gradients.</summary>
    public abstract void WeightGradient(int layer);

    /// <summary>Hands the gradient on to the layer before; not for the first layer, whose input is an image.</summary>
    public abstract void InputGradient(int layer);

    public abstract void Dispose();
}
