using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;

namespace EfficientAD.Backends.Cuda;

public sealed partial class CudaBackend
{
    public void Add(Tensor source, Tensor destination)
    {
        RequireSameShape(source, destination);
        long count = source.Shape.Count;
        Launch("add", "add", Threads(count), source.Address, destination.Address, count);
        MarkWritten(destination);
    }
}
