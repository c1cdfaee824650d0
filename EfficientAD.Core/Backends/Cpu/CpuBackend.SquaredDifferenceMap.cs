using System.Runtime.Intrinsics;
using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace EfficientAD.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    // Few enough that a group's rows share the first-level cache; sums of sums also lose less than one long chain.
    private const int ChannelsPerGroup = 8;
    private const int PixelsPerBlock = 512;

    public void SquaredDifferenceMap(Tensor a, Tensor b, Tensor map)
    {
        RequireSameShape(a, b);
        Shape shape = a.Shape;
        RequireShape(shape with { C = 1 }, map);
        int blocks = (shape.Plane + PixelsPerBlock - 1) / PixelsPerBlock;
        RunRanges((long)shape.N * blocks, (long)shape.C * PixelsPerBlock, (first, end) =>
        {
            for (long block = first; block < end; block++)
            {
                (long sample, long index) = Math.DivRem(block, blocks);
                int pixel = (int)index * PixelsPerBlock, pixels = Math.Min(PixelsPerBlock, shape.Plane - pixel);
                long offset = sample * shape.SampleCount + pixel;
                Span<float> sums = new(Pointer(map) + sample * shape.Plane + pixel, pixels);
                sums.Clear();
                for (int channel = 0; channel < shape.C; channel += ChannelsPerGroup)
                {
                    int channels = Math.Min(ChannelsPerGroup, shape.C - channel);
                    long start = offset + (long)channel * shape.Plane;
                    AddSquaredDifferences(Pointer(a) + start, Pointer(b) + start, channels, shape.Plane, sums);
                }

                TensorPrimitives.Divide(sums, shape.C, sums);
            }
        });
    }

    private static void AddSquaredDifferences(float* a, float* b, int channels, int plane, Span<float> sums)
    {
        int i = 0;
        for (; i + 8 <= sums.Length; i += 8)
        {
            Vector256<float> sum = Vector256<float>.Zero;
            for (int channel = 0; channel < channels; channel++)
            {
                long at = (long)channel * plane + i;
                Vector256<float> difference = Vector256.Load(a + at) - Vector256.Load(b + at);
                sum += difference * difference;
            }

            (Vector256.Create<float>(sums[i..]) + sum).CopyTo(sums[i..]);
        }

        for (; i < sums.Length; i++)
        {
            float sum = 0;
            for (int channel = 0; channel < channels; channel++)
            {
                float difference = a[(long)channel * plane + i] - b[(long)channel * plane + i];
                sum += difference * difference;
            }

            sums[i] += sum;
        }
    }
}
