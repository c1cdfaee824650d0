using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace EfficientAD.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    public void NormalizeChannels(Tensor input, Tensor mean, Tensor deviation, Tensor output)
    {
        RequireNormalization(input, mean, deviation, output);
        Shape shape = input.Shape;
        RunRanges((long)shape.N * shape.C, shape.Plane, (first, end) =>
        {
            for (long plane = first; plane < end; plane++)
            {
                int channel = (int)(plane % shape.C);
                Span<float> source = Range(Pointer(input), plane * shape.Plane, (plane + 1) * shape.Plane);
                Span<float> destination = Range(Pointer(output), plane * shape.Plane, (plane + 1) * shape.Plane);
                TensorPrimitives.Subtract(source, Pointer(mean)[channel], destination);
                TensorPrimitives.Divide(destination, Pointer(deviation)[channel], destination);
            }
        });
    }
}
