using System.Runtime.Intrinsics;
using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;

namespace EfficientAD.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <remarks>Two passes: the sum of squares minus the square of the sum would cancel.</remarks>
    public void ChannelMoments(Tensor input, Span<double> mean, Span<double> squaredDeviations)
    {
        Shape shape = input.Shape;
        RequireRoomForMoments(shape, mean.Length, squaredDeviations.Length);
        (double[] means, double[] squares) = (new double[shape.C], new double[shape.C]);
        _pool.Run(shape.C, channel =>
        {
            double sum = 0, squared = 0;
            for (int n = 0; n < shape.N; n++) sum += SumOfValues(Plane(input, n, channel), shape.Plane);
            double centre = sum / ((double)shape.N * shape.Plane);
            for (int n = 0; n < shape.N; n++)
                squared += SumOfSquaredDeviations(Plane(input, n, channel), shape.Plane, centre);
            (means[channel], squares[channel]) = (centre, squared);
        });
        means.CopyTo(mean);
        squares.CopyTo(squaredDeviations);
    }

    private static float* Plane(Tensor tensor, int sample, int channel) =>
        Pointer(tensor) + ((long)sample * tensor.Shape.C + channel) * tensor.Shape.Plane;

    private static double SumOfValues(float* values, int count)
    {
        Vector256<double> low = Vector256<double>.Zero, high = Vector256<double>.Zero;
        int i = 0;
        for (; i + 8 <= count; i += 8)
        {
            (Vector256<double> first, Vector256<double> second) = Vector256.Widen(Vector256.Load(values + i));
            low += first;
            high += second;
        }

        double sum = Vector256.Sum(low + high);
        for (; i < count; i++) sum += values[i];
        return sum;
    }

    private static double SumOfSquaredDeviations(float* values, int count, double centre)
    {
        Vector256<double> low = Vector256<double>.Zero, high = Vector256<double>.Zero;
        Vector256<double> middle = Vector256.Create(centre);
        int i = 0;
        for (; i + 8 <= count; i += 8)
        {
            (Vector256<double> first, Vector256<double> second) = Vector256.Widen(Vector256.Load(values + i));
            low += (first - middle) * (first - middle);
            high += (second - middle) * (second - middle);
        }

        double sum = Vector256.Sum(low + high);
        for (; i < count; i++) sum += (values[i] - centre) * (values[i] - centre);
        return sum;
    }
}
