using System.Runtime.CompilerServices;

namespace EfficientAD.Backends.Cpu;

internal sealed unsafe partial class DirectConvolution<TKernels>
{
    /// <summary>Neighbouring pixels of one output row: where they read and how many they are.</summary>
    private readonly record struct PixelRun(int Offset, int Count);

    private static int FindRuns(in Problem problem, int pixel, int columns, PixelRun* runs)
    {
        int count = 0;
        for (int end = pixel + columns; pixel < end;)
        {
            (int y, int x) = Math.DivRem(pixel, problem.OutputWidth);
            int length = Math.Min(problem.OutputWidth - x, end - pixel);
            runs[count++] = new PixelRun((y * problem.Pitch + x) * problem.Stride, length);
            pixel += length;
        }

        return count;
    }

    /// <summary>packed[k][column] = the input under tap first + k of each pixel. Columns beyond the last hold
    /// leftovers, whose products are thrown away.</summary>
    private static void Gather(
        in Problem problem, float* source, int first, int depth, PixelRun* runs, int runCount, float* packed)
    {
        int taps = problem.KernelHeight * problem.KernelWidth;
        (int channel, int tap) = Math.DivRem(first, taps);
        (int ky, int kx) = Math.DivRem(tap, problem.KernelWidth);
        float* plane = source + channel * problem.PlaneCount;
        for (int k = 0; k < depth; k++, packed += TKernels.Columns)
        {
            float* corner = plane + ky * problem.Pitch + kx;
            if (problem.Stride == 1) GatherRow(corner, runs, runCount, packed);
            else GatherStrided(corner, runs, runCount, problem.Stride, packed);

            if (++kx < problem.KernelWidth) continue;
            kx = 0;
            if (++ky < problem.KernelHeight) continue;
            ky = 0;
            plane += problem.PlaneCount;
        }
    }

    /// <remarks>Whole vectors are copied; what runs over is overwritten by the next run or the next row, and reading
    /// over the end stays inside the slack of the memory.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void GatherRow(float* corner, PixelRun* runs, int runCount, float* target)
    {
        for (int run = 0; run < runCount; run++)
        {
            float* from = corner + runs[run].Offset;
            int count = runs[run].Count;
            for (int i = 0; i < count; i += TKernels.Lanes) TKernels.CopyVector(from + i, target + i);
            target += count;
        }
    }

    private static void GatherStrided(float* corner, PixelRun* runs, int runCount, int stride, float* target)
    {
        for (int run = 0; run < runCount; run++)
        {
            float* from = corner + runs[run].Offset;
            for (int i = 0; i < runs[run].Count; i++, from += stride) *target++ = *from;
        }
    }
}
