using EfficientAD.Backends;
using EfficientAD.Tensors;

namespace EfficientAD.Autograd.Operations;

/// <summary>Several convolutions as one operation.</summary>
public static class LayerStackOperation
{
    /// <summary>Rectified convolutions without padding, pooled where asked, one behind the other.</summary>
    /// <param name="input">[n, c, h, w]; needs no gradient.</param>
    /// <returns>The last layer's output; null where the backend has no way that is better than layer by layer.</returns>
    public static Variable? Stack(this Tape tape, Variable input, IReadOnlyList<StackedLayer> layers)
    {
        if (input.NeedsGradient)
            throw new ArgumentException("Stack has no gradient of its input, which must be constant.", nameof(input));
        if (tape.Backend.Stack(input.Value, layers) is not { } stack) return null;
        tape.Own(stack);
        return tape.Record(
            stack.Output, layers.Any(layer => layer.WeightGradient is not null),
            () =>
            {
                for (int i = 0; i < layers.Count; i++) stack.Forward(i);
            },
            result =>
            {
                stack.BeginBackward(result.Gradient!);
                for (int i = layers.Count - 1; i >= 0; i--)
                {
                    stack.WeightGradient(i);
                    if (i > 0) stack.InputGradient(i);
                }
            });
    }
}
