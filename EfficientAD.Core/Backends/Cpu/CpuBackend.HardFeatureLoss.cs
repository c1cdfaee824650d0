using System.Numerics;
using System.Runtime.Intrinsics;
using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace EfficientAD.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    private AlignedMemory? _squaredDifferences;  // of one sample
    private long _squaredDifferencesCount;

    public void HardFeatureLoss(Tensor teacher, Tensor student, float q, Tensor threshold, Tensor loss)
    {
        RequireHardFeatures(teacher, student, threshold, loss);
        RequireFraction(q);
        Shape shape = teacher.Shape;
        float* squares = SquaredDifferences(shape.SampleCount);
        double sum = 0;
        for (int n = 0; n < shape.N; n++)
        {
            float* t = Pointer(teacher) + n * shape.SampleCount, s = Pointer(student) + n * shape.SampleCount;
            RunRanges(shape.SampleCount, 1, (first, end) =>
            {
                Span<float> block = Range(squares, first, end);
                TensorPrimitives.Subtract(Range(t, first, end), Range(s, first, end), block);
                TensorPrimitives.Multiply(block, block, block);
            });
            float bound = _selection.Quantile(squares, shape.SampleCount, q);
            Pointer(threshold)[n] = bound;
            sum += MeanOfHard(squares, shape.SampleCount, bound);
        }

        Pointer(loss)[0] = (float)(sum / shape.N);
    }

    public void HardFeatureLossBackward(
        Tensor teacher, Tensor student, Tensor threshold, Tensor lossGradient, Tensor studentGradient)
    {
        RequireHardFeatures(teacher, student, threshold, lossGradient);
        RequireSameShape(student, studentGradient);
        Shape shape = teacher.Shape;
        for (int n = 0; n < shape.N; n++)
        {
            float* t = Pointer(teacher) + n * shape.SampleCount, s = Pointer(student) + n * shape.SampleCount;
            float* gradient = Pointer(studentGradient) + n * shape.SampleCount;
            float bound = Pointer(threshold)[n];
            double count = SumRanges(
                shape.SampleCount, (first, end) => CountHard(t + first, s + first, end - first, bound));
            // Without a threshold the loss is NaN, and so is its gradient everywhere.
            float scale = float.IsNaN(bound) ? float.NaN : (float)(2.0 * Pointer(lossGradient)[0] / (count * shape.N));
            RunRanges(shape.SampleCount, 1, (first, end) =>
                AddHardGradient(t + first, s + first, end - first, bound, scale, gradient + first));
        }
    }

    private float* SquaredDifferences(long count)
    {
        if (_squaredDifferences is null || _squaredDifferencesCount < count)
        {
            _squaredDifferences?.Dispose();
            _squaredDifferences = new AlignedMemory(count * sizeof(float));
            _squaredDifferencesCount = count;
        }

        return (float*)_squaredDifferences.Address;
    }

    /// <summary>The mean of the values that reach the bound; NaN if the bound is.</summary>
    private double MeanOfHard(float* values, long length, float bound)
    {
        long[] counts = new long[RangeCount(length, 1)];
        double sum = SumRanges(length, (first, end) =>
        {
            double partial = 0;
            long count = 0;
            for (long i = first; i < end; i += 8)
            {
                for (uint hits = Hard(Vector256.Load(values + i), bound, end - i); hits != 0; hits &= hits - 1)
                {
                    partial += values[i + BitOperations.TrailingZeroCount(hits)];
                    count++;
                }
            }

            counts[first / ValuesPerItem] = count;
            return partial;
        });
        return sum / counts.Sum();
    }

    private static double CountHard(float* teacher, float* student, long length, float bound)
    {
        long count = 0;
        for (long i = 0; i < length; i += 8)
        {
            Vector256<float> difference = Vector256.Load(teacher + i) - Vector256.Load(student + i);
            count += BitOperations.PopCount(Hard(difference * difference, bound, length - i));
        }

        return count;
    }

    private static void AddHardGradient(
        float* teacher, float* student, long length, float bound, float scale, float* gradient)
    {
        for (long i = 0; i < length; i += 8)
        {
            Vector256<float> difference = Vector256.Load(teacher + i) - Vector256.Load(student + i);
            for (uint hits = Hard(difference * difference, bound, length - i); hits != 0; hits &= hits - 1)
            {
                long at = i + BitOperations.TrailingZeroCount(hits);
                gradient[at] += scale * (student[at] - teacher[at]);
            }
        }
    }

    /// <summary>One bit for each of the first <paramref name="remaining"/> of eight values that is not below the bound:
    /// NaN counts as hard, so that it reaches the loss.</summary>
    /// <remarks>The load before may run past the end of a tensor (<see cref="AlignedMemory.Slack"/>).</remarks>
    private static uint Hard(Vector256<float> values, float bound, long remaining)
    {
        uint below = Vector256.LessThan(values, Vector256.Create(bound)).ExtractMostSignificantBits();
        return ~below & (remaining >= 8 ? 0xFFu : (1u << (int)remaining) - 1);
    }
}
