using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;

namespace EfficientAD.Backends.Cuda;

public sealed partial class CudaBackend
{
    public void WeighPlaces(Tensor maps, Tensor weights, Tensor result)
    {
        RequireWeighPlaces(maps, weights, result);
        Shape shape = maps.Shape;
        Launch(
            "weigh_places", "weigh_places", Pixels(shape),
            maps.Address, Planes(shape), shape.H, shape.W, weights.Address, result.Address);
    }
}
