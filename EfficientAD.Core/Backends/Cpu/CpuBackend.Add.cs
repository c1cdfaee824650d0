using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace EfficientAD.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    public void Add(Tensor source, Tensor destination)
    {
        RequireSameShape(source, destination);
        RunRanges(source.Shape.Count, 1, (first, end) =>
        {
            Span<float> sum = Range(Pointer(destination), first, end);
            TensorPrimitives.Add(sum, Range(Pointer(source), first, end), sum);
        });
        destination.MarkWritten();
    }
}
