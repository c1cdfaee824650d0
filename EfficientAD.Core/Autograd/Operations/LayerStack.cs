using EfficientAD.Backends;
using EfficientAD.Tensors;

namespace EfficientAD.Autograd.Operations;

/// <summary>Several convolutions as one operation.</summary>
public static class LayerStackOperation
{
    /// <summary>Rectified convolutions without padding, pooled where asked, one behind the other.</summary>
    /// <param name="input">[n, c, h, w]; needs no gradient.</param>
    /// <param name="heads">What follows the last of them, for parts of the batch that do not overlap.</param>
    /// <returns>The heads' outputs, or the last layer's where there are no heads; null where the backend has no way
    /// that is better than layer by layer.</returns>
    public static Variable[]? Stack(
        this Tape tape, Variable input, IReadOnlyList<StackedLayer> layers, params IReadOnlyList<StackHead> heads)
    {
        if (input.NeedsGradient)
            throw new ArgumentException("Stack has no gradient of its input, which must be constant.", nameof(input));
        RequireOwnSamples(heads, input.Value.Shape.N);
        if (tape.Backend.Stack(input.Value, layers, heads) is not { } stack) return null;
        tape.Own(stack);
        return tape.Record(
            stack.Outputs, layers.Any(layer => layer.WeightGradient is not null),
            () =>
            {
                for (int i = 0; i < layers.Count; i++) stack.Forward(i);
                for (int i = 0; i < heads.Count; i++) stack.ForwardHead(i);
            },
            results =>
            {
                for (int i = 0; i < results.Length; i++) stack.BeginBackward(i, results[i].Gradient!);
                for (int i = layers.Count - 1; i >= 0; i--)
                {
                    stack.WeightGradient(i);
                    if (i > 0) stack.InputGradient(i);
                }
            });
    }

    /// <summary>A head overwrites its samples' gradients: two heads' would have to be added.</summary>
    private static void RequireOwnSamples(IReadOnlyList<StackHead> heads, int samples)
    {
        int end = 0;
        foreach (StackHead head in heads.OrderBy(head => head.First))
        {
            if (head.First < end || head.First + head.Count > samples)
            {
                throw new ArgumentException(
                    $"Stack: the head of samples {head.First} to {head.First + head.Count - 1} needs samples of its " +
                    $"own from {end} to {samples - 1}.",
                    nameof(heads));
            }

            end = head.First + head.Count;
        }
    }
}
