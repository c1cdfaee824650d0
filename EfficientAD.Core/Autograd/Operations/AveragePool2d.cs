using EfficientAD.Tensors;

namespace EfficientAD.Autograd.Operations;

/// <summary>Average pooling.</summary>
public static class AveragePool2dOperation
{
    /// <summary>Mean over windows of 2 x 2 with stride 2; padding counts as zeros (count_include_pad).</summary>
    public static Variable AveragePool2d(this Tape tape, Variable input, int padding)
    {
        Shape shape = input.Value.Shape;
        Tensor output = tape.Allocate(shape with { H = (shape.H + 2 * padding) / 2, W = (shape.W + 2 * padding) / 2 });
        return tape.Record(
            output, input.NeedsGradient,
            () => tape.Backend.AveragePool2d(input.Value, padding, output),
            result => tape.Backend.AveragePool2dBackward(result.Gradient!, padding, input.Gradient!));
    }
}
