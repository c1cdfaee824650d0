using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;

namespace EfficientAD.Backends.Cuda;

public sealed partial class CudaBackend
{
    public void CombineMaps(
        Tensor local, Tensor global, float localScale, float globalScale, float offset, Tensor combined)
    {
        RequireSameShape(local, global);
        RequireSameShape(local, combined);
        long count = local.Shape.Count;
        Launch(
            "combine_maps", "combine_maps", Threads(count),
            local.Address, global.Address, localScale, globalScale, offset, combined.Address, count);
    }
}
