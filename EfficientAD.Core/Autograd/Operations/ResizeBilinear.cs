using EfficientAD.Tensors;

namespace EfficientAD.Autograd.Operations;

/// <summary>Bilinear interpolation of feature maps.</summary>
public static class ResizeBilinearOperation
{
    /// <summary>To height x width, align_corners = false, no anti-aliasing.</summary>
    public static Variable ResizeBilinear(this Tape tape, Variable input, int height, int width)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        if (input.Value.Shape.H == height && input.Value.Shape.W == width) return input;

        Tensor output = tape.Allocate(input.Value.Shape with { H = height, W = width });
        return tape.Record(
            output, input.NeedsGradient,
            () => tape.Backend.ResizeBilinear(input.Value, output),
            result => tape.Backend.ResizeBilinearBackward(result.Gradient!, input.Gradient!));
    }
}
