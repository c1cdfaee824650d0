using System.Runtime.Intrinsics;
using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;

namespace EfficientAD.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    public void AveragePool2d(Tensor input, int padding, Tensor output)
    {
        RequirePool(input.Shape, padding, output.Shape);
        (Shape from, Shape to) = (input.Shape, output.Shape);
        RunRanges((long)to.N * to.C * to.H, 4L * to.W, (first, end) =>
        {
            for (long row = first; row < end; row++)
            {
                (long plane, long outputY) = Math.DivRem(row, to.H);
                float* source = Pointer(input) + plane * from.Plane;
                (int top, int bottom, float weight) = PooledRows((int)outputY, padding, from.H);
                AverageRow(source + (long)top * from.W, source + (long)bottom * from.W, from.W, padding, weight,
                    Pointer(output) + row * to.W, to.W);
            }
        });
    }

    public void AveragePool2dBackward(Tensor outputGradient, int padding, Tensor inputGradient)
    {
        RequirePool(inputGradient.Shape, padding, outputGradient.Shape);
        (Shape from, Shape to) = (inputGradient.Shape, outputGradient.Shape);
        RunRanges((long)to.N * to.C * to.H, 4L * to.W, (first, end) =>
        {
            for (long row = first; row < end; row++)
            {
                (long plane, long outputY) = Math.DivRem(row, to.H);
                float* destination = Pointer(inputGradient) + plane * from.Plane;
                (int top, int bottom, _) = PooledRows((int)outputY, padding, from.H);
                float* gradient = Pointer(outputGradient) + row * to.W;
                SpreadRow(gradient, to.W, padding, destination + (long)top * from.W, from.W);
                if (bottom != top) SpreadRow(gradient, to.W, padding, destination + (long)bottom * from.W, from.W);
            }
        });
    }

    /// <summary>The two input rows of an output row and the weight of a value. A row in the padding is replaced by the
    /// other one, which then counts twice with half the weight.</summary>
    private static (int Top, int Bottom, float Weight) PooledRows(int outputY, int padding, int height)
    {
        int top = 2 * outputY - padding;
        if (top < 0) return (0, 0, 0.125f);
        return top + 1 < height ? (top, top + 1, 0.25f) : (top, top, 0.125f);
    }

    private static void AverageRow(
        float* top, float* bottom, int width, int padding, float weight, float* output, int outputWidth)
    {
        // Windows [padding, inside) lie in the row; the first and the last may hang over its ends.
        int inside = (width + padding) / 2;
        if (padding == 1) output[0] = (top[0] + bottom[0]) * weight;
        if (inside < outputWidth) output[inside] = (top[width - 1] + bottom[width - 1]) * weight;

        int x = padding;
        for (; x + 8 <= inside; x += 8)
        {
            int i = 2 * x - padding;
            Vector256<ulong> low = (Vector256.Load(top + i) + Vector256.Load(bottom + i)).AsUInt64();
            Vector256<ulong> high = (Vector256.Load(top + i + 8) + Vector256.Load(bottom + i + 8)).AsUInt64();
            // A pair of columns is one 64-bit lane: narrowing keeps its first float, after a shift its second.
            Vector256<float> even = Vector256.Narrow(low, high).AsSingle();
            Vector256<float> odd = Vector256.Narrow(low >>> 32, high >>> 32).AsSingle();
            ((even + odd) * weight).Store(output + x);
        }

        for (; x < inside; x++)
        {
            int i = 2 * x - padding;
            output[x] = ((top[i] + bottom[i]) + (top[i + 1] + bottom[i + 1])) * weight;
        }
    }

    private static void SpreadRow(float* gradient, int gradientWidth, int padding, float* row, int width)
    {
        int inside = (width + padding) / 2;
        if (padding == 1) row[0] += gradient[0] * 0.25f;
        if (inside < gradientWidth) row[width - 1] += gradient[inside] * 0.25f;

        int x = padding;
        for (; x + 8 <= inside; x += 8)
        {
            float* destination = row + 2 * x - padding;
            (Vector256<ulong> low, Vector256<ulong> high) =
                Vector256.Widen((Vector256.Load(gradient + x) * 0.25f).AsUInt32());
            (Vector256.Load(destination) + (low | (low << 32)).AsSingle()).Store(destination);
            (Vector256.Load(destination + 8) + (high | (high << 32)).AsSingle()).Store(destination + 8);
        }

        for (; x < inside; x++)
        {
            row[2 * x - padding] += gradient[x] * 0.25f;
            row[2 * x - padding + 1] += gradient[x] * 0.25f;
        }
    }
}
