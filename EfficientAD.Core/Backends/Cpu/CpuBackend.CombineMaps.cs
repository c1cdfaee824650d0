using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace EfficientAD.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    public void CombineMaps(
        Tensor local, Tensor global, float localScale, float globalScale, float offset, Tensor combined)
    {
        RequireSameShape(local, global);
        RequireSameShape(local, combined);
        RunRanges(local.Shape.Count, 1, (first, end) =>
        {
            const int Block = 1024;
            Span<float> sum = stackalloc float[Block];  // apart, since the result may replace either map
            for (long start = first; start < end; start += Block)
            {
                long stop = Math.Min(start + Block, end);
                Span<float> block = sum[..(int)(stop - start)];
                TensorPrimitives.Multiply(Range(Pointer(local), start, stop), localScale, block);
                TensorPrimitives.MultiplyAdd(Range(Pointer(global), start, stop), globalScale, block, block);
                TensorPrimitives.Add(block, offset, Range(Pointer(combined), start, stop));
            }
        });
    }
}
