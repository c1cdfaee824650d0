using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;

namespace EfficientAD.Backends.Cuda;

public sealed partial class CudaBackend
{
    public void NormalizeChannels(Tensor input, Tensor mean, Tensor deviation, Tensor output)
    {
        RequireNormalization(input, mean, deviation, output);
        Shape shape = input.Shape;
        Launch(
            "normalize_channels", "normalize_channels", Pixels(shape),
            input.Address, mean.Address, deviation.Address, Planes(shape), shape.C, shape.Plane, output.Address);
    }
}
