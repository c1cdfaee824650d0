using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;

namespace EfficientAD.Backends.Cuda;

public sealed partial class CudaBackend
{
    public void Pad(Tensor input, int border, float value, Tensor output)
    {
        RequirePad(input, border, output);
        Shape shape = input.Shape;
        Launch(
            "pad", "pad", Pixels(output.Shape),
            input.Address, Planes(shape), shape.H, shape.W, border, value, output.Address);
    }
}
