using EfficientAD.Tensors;

namespace EfficientAD.Autograd.Operations;

/// <summary>Element-wise dropout.</summary>
public static class DropoutOperation
{
    /// <summary>Zeroes each value with probability <paramref name="rate"/>, scales the others by
    /// 1 / (1 - rate).</summary>
    /// <param name="random">Asked anew at every forward and backward run; must give the same numbers to both of one
    /// step.</param>
    public static Variable Dropout(this Tape tape, Variable input, float rate, Func<CounterRandom> random)
    {
        Tensor output = tape.Allocate(input.Value.Shape);
        return tape.Record(
            output, input.NeedsGradient,
            () => tape.Backend.Dropout(input.Value, rate, random(), output),
            result => tape.Backend.DropoutBackward(result.Gradient!, rate, random(), input.Gradient!));
    }
}
