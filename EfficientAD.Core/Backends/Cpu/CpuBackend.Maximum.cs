using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace EfficientAD.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    public void Maximum(Tensor input, Tensor output)
    {
        Shape shape = input.Shape;
        RequireShape(new Shape(shape.N, 1, 1, 1), output);
        float[] partial = new float[RangeCount(shape.SampleCount, 1)];
        for (int n = 0; n < shape.N; n++)
        {
            float* sample = Pointer(input) + n * shape.SampleCount;
            RunRanges(shape.SampleCount, 1, (first, end) =>
                partial[first / ValuesPerItem] = TensorPrimitives.Max<float>(Range(sample, first, end)));
            Pointer(output)[n] = TensorPrimitives.Max<float>(partial);  // NaN wins in both
        }
    }
}
