using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;

namespace EfficientAD.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    private readonly RadixSelection _selection;

    public void Quantile(Tensor values, float q, Tensor output)
    {
        Shape shape = values.Shape;
        RequireFraction(q);
        RequireShape(new Shape(shape.N, 1, 1, 1), output);
        for (int n = 0; n < shape.N; n++)
            Pointer(output)[n] = _selection.Quantile(Pointer(values) + n * shape.SampleCount, shape.SampleCount, q);
    }
}
