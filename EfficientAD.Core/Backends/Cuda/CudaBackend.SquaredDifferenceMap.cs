using EfficientAD.Native;
using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;

namespace EfficientAD.Backends.Cuda;

public sealed partial class CudaBackend
{
    // As squared_difference_map.cu has them.
    private const int MapTilePixels = 32, MapChannelGroups = 16;

    public void SquaredDifferenceMap(Tensor a, Tensor b, Tensor map)
    {
        RequireSameShape(a, b);
        Shape shape = a.Shape;
        RequireShape(shape with { C = 1 }, map);
        var grid = new Extent(BlocksFor(shape.Plane, MapTilePixels), Math.Min(shape.N, MaximumGridY));
        Launch(
            "squared_difference_map", "squared_difference_map",
            new LaunchShape(grid, new Extent(MapTilePixels, MapChannelGroups)),
            a.Address, b.Address, shape.N, shape.C, shape.Plane, map.Address);
    }
}
