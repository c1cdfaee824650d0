using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;

namespace EfficientAD.Backends.Cuda;

public sealed partial class CudaBackend
{
    public void AveragePool2d(Tensor input, int padding, Tensor output)
    {
        (Shape from, Shape to) = (input.Shape, output.Shape);
        RequirePool(from, padding, to);
        Launch(
            "average_pool2d", "average_pool2d_forward", Pixels(to),
            input.Address, Planes(from), from.H, from.W, padding, to.H, to.W, output.Address);
    }

    public void AveragePool2dBackward(Tensor outputGradient, int padding, Tensor inputGradient)
    {
        (Shape from, Shape to) = (inputGradient.Shape, outputGradient.Shape);
        RequirePool(from, padding, to);
        Launch(
            "average_pool2d", "average_pool2d_backward", Pixels(from),
            outputGradient.Address, Planes(from), from.H, from.W, padding, to.H, to.W, inputGradient.Address);
    }
}
