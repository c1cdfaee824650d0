using EfficientAD.Tensors;

namespace EfficientAD.Autograd.Operations;

/// <summary>Normalisation by fixed channel statistics.</summary>
public static class NormalizeChannelsOperation
{
    /// <summary>(input - mean) / deviation per channel; for the frozen teacher only, so without a backward
    /// pass.</summary>
    public static Variable NormalizeChannels(this Tape tape, Variable input, Tensor mean, Tensor deviation)
    {
        if (input.NeedsGradient)
        {
            throw new ArgumentException(
                "NormalizeChannels has no backward pass; its input must be frozen.", nameof(input));
        }

        Tensor output = tape.Allocate(input.Value.Shape);
        return tape.Record(
            output, needsGradient: false,
            () => tape.Backend.NormalizeChannels(input.Value, mean, deviation, output), _ => { });
    }
}
