using EfficientAD.Backends;
using EfficientAD.Tensors;

namespace EfficientAD.Autograd.Operations;

/// <summary>Convolution with bias, perhaps rectified.</summary>
public static class Convolution2dOperation
{
    /// <summary>[n, ci, h, w] x [co, ci, kh, kw] + [1, co, 1, 1] -> [n, co, oh, ow].</summary>
    public static Variable Convolution2d(
        this Tape tape, Variable input, Variable weights, Variable bias, Convolution2dGeometry geometry, bool relu)
    {
        Shape shape = input.Value.Shape, kernel = weights.Value.Shape;
        Tensor output = tape.Allocate(new Shape(
            shape.N, kernel.N, geometry.OutputSize(shape.H, kernel.H), geometry.OutputSize(shape.W, kernel.W)));
        IBackend backend = tape.Backend;
        return tape.Record(
            output, input.NeedsGradient || weights.NeedsGradient,
            () => backend.Convolution2d(input.Value, weights.Value, bias.Value, geometry, relu, output),
            result =>
            {
                if (relu) backend.ReluBackward(output, result.Gradient!);
                if (input.NeedsGradient)
                    backend.Convolution2dInputGradient(result.Gradient!, weights.Value, geometry, input.Gradient!);
                if (weights.NeedsGradient)
                {
                    backend.Convolution2dWeightGradient(
                        input.Value, result.Gradient!, geometry, weights.Gradient!, bias.Gradient);
                }
            });
    }
}
