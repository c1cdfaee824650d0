using System.Runtime.Intrinsics;
using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace EfficientAD.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    public void MeanSquaredError(Tensor a, Tensor? b, Tensor loss)
    {
        if (b is not null) RequireSameShape(a, b);
        RequireShape(ScalarShape, loss);
        double sum = SumRanges(a.Shape.Count, (first, end) => b is null
            ? SumOfSquaredDeviations(Pointer(a) + first, (int)(end - first), 0)
            : SumOfSquaredDifferences(Pointer(a) + first, Pointer(b) + first, (int)(end - first)));
        Pointer(loss)[0] = (float)(sum / a.Shape.Count);
    }

    public void MeanSquaredErrorBackward(Tensor a, Tensor? b, Tensor lossGradient, Tensor? aGradient, Tensor? bGradient)
    {
        RequireSquaredErrorGradients(a, b, lossGradient, aGradient, bGradient);
        float scale = (float)(2.0 * Pointer(lossGradient)[0] / a.Shape.Count);
        RunRanges(a.Shape.Count, 1, (first, end) =>
        {
            const int Block = 1024;
            Span<float> buffer = stackalloc float[Block];
            for (long start = first; start < end; start += Block)
            {
                long stop = Math.Min(start + Block, end);
                scoped Span<float> difference = Range(Pointer(a), start, stop);
                if (b is not null)
                {
                    Span<float> values = difference;
                    difference = buffer[..values.Length];
                    TensorPrimitives.Subtract(values, Range(Pointer(b), start, stop), difference);
                }

                if (aGradient is not null) AddScaled(difference, scale, Range(Pointer(aGradient), start, stop));
                if (bGradient is not null) AddScaled(difference, -scale, Range(Pointer(bGradient), start, stop));
            }
        });
    }

    private static void AddScaled(ReadOnlySpan<float> values, float scale, Span<float> sum) =>
        TensorPrimitives.MultiplyAdd(values, scale, sum, sum);

    private static double SumOfSquaredDifferences(float* a, float* b, int count)
    {
        Vector256<double> low = Vector256<double>.Zero, high = Vector256<double>.Zero;
        int i = 0;
        for (; i + 8 <= count; i += 8)
        {
            Vector256<float> difference = Vector256.Load(a + i) - Vector256.Load(b + i);
            (Vector256<double> first, Vector256<double> second) = Vector256.Widen(difference);
            low += first * first;
            high += second * second;
        }

        double sum = Vector256.Sum(low + high);
        for (; i < count; i++) sum += (double)(a[i] - b[i]) * (a[i] - b[i]);
        return sum;
    }
}
