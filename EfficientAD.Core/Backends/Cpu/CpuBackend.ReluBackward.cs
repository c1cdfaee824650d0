using System.Runtime.Intrinsics;
using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;

namespace EfficientAD.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    public void ReluBackward(Tensor output, Tensor outputGradient)
    {
        RequireSameShape(output, outputGradient);
        RunRanges(output.Shape.Count, 1, (first, end) =>
        {
            float* value = Pointer(output), gradient = Pointer(outputGradient);
            long i = first;
            for (; i + 8 <= end; i += 8)
            {
                // Equality, not "greater than": a gradient whose output is NaN stays.
                Vector256<float> zero = Vector256.Equals(Vector256.Load(value + i), Vector256<float>.Zero);
                Vector256.AndNot(Vector256.Load(gradient + i), zero).Store(gradient + i);
            }

            for (; i < end; i++)
                if (value[i] == 0) gradient[i] = 0;
        });
    }
}
