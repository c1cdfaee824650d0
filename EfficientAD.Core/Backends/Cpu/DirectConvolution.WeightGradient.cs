using System.Runtime.CompilerServices;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu;

internal sealed unsafe partial class DirectConvolution<TKernels>
{
    // A chunk of pixels of the gradient's rows and of the input's taps stays in the first-level cache.
    private const int CorrelationChunk = 768;

    /// <remarks>dW[co, ci, ky, kx] = sum over y, x of dY[co, y, x] X[ci, y + ky, x + kx]. The gradient is laid out with
    /// the input's pitch and zeros in the gaps, so a whole plane is one dot product and nothing is transposed. A stride
    /// puts zeros between.</remarks>
    public override void WeightGradient(
        Tensor input, Tensor outputGradient, Convolution2dGeometry geometry, Tensor weightGradient)
    {
        Shape shape = input.Shape, kernel = weightGradient.Shape, gradient = outputGradient.Shape;
        int padding = geometry.Padding, height = shape.H + 2 * padding, pitch = shape.W + 2 * padding;
        float* source = padding == 0
            ? (float*)input.Address
            : _input.Lay(input, padding, padding, 1, height, pitch, (long)height * pitch, pool);
        int rows = (gradient.H - 1) * geometry.Stride + 1;
        int length = (rows - 1) * pitch + (gradient.W - 1) * geometry.Stride + 1;
        // Planes start on whole vectors and end in zeros, so that loads do not straddle cache lines and need no tail.
        long plane = (long)(rows * pitch + 2 * (TKernels.Lanes - 1)) / TKernels.Lanes * TKernels.Lanes;
        float* rowsOfGradient = _gradient.Lay(outputGradient, 0, 0, geometry.Stride, rows, pitch, plane, pool);

        var problem = new Correlation(
            (nint)source, (long)height * pitch, pitch, (nint)rowsOfGradient, plane, length, shape.N, gradient.C,
            kernel);
        int rowTiles = (gradient.C + TKernels.CorrelationRows - 1) / TKernels.CorrelationRows;
        int groups = (kernel.C + GroupChannels(kernel) - 1) / GroupChannels(kernel);
        // All channels for a few rows at a time: the rows stay in the second-level cache.
        int parts = Math.Clamp((4 * pool.Threads + rowTiles - 1) / rowTiles, 1, groups);
        pool.Run(rowTiles * parts, item =>
        {
            (int rowTile, int part) = Math.DivRem(item, parts);
            for (int group = groups * part / parts; group < groups * (part + 1) / parts; group++)
                CorrelateGroup(problem, rowTile * TKernels.CorrelationRows, group, (float*)weightGradient.Address);
        });
    }

    private readonly record struct Correlation(
        nint Input, long InputPlane, int Pitch, nint Gradient, long GradientPlane, int Length, int Samples,
        int OutputChannels, Shape Kernel);

    /// <summary>As many input channels as fill whole tiles with about 16 taps or, for 3 x 3 kernels, 36.</summary>
    private static int GroupChannels(Shape kernel)
    {
        int channels = Math.Max(1, 16 / kernel.Plane);
        while (channels * kernel.Plane % TKernels.CorrelationTaps != 0) channels++;
        return channels;
    }

    [SkipLocalsInit]
    private static void CorrelateGroup(in Correlation problem, int firstRow, int group, float* weightGradient)
    {
        int tile = TKernels.CorrelationTaps, rows = TKernels.CorrelationRows, lanes = TKernels.Lanes;
        int channels = GroupChannels(problem.Kernel), firstChannel = group * channels;
        int taps = Math.Min(channels, problem.Kernel.C - firstChannel) * problem.Kernel.Plane;
        int tapTiles = (taps + tile - 1) / tile, sumPitch = tapTiles * tile * lanes;
        float* sums = stackalloc float[rows * sumPitch];
        new Span<float>(sums, rows * sumPitch).Clear();
        int* offsets = stackalloc int[tapTiles * tile];
        FindOffsets(problem, taps, tapTiles * tile, offsets);

        for (int sample = 0; sample < problem.Samples; sample++)
        {
            float* input =
                (float*)problem.Input + ((long)sample * problem.Kernel.C + firstChannel) * problem.InputPlane;
            float* gradient =
                (float*)problem.Gradient + ((long)sample * problem.OutputChannels + firstRow) * problem.GradientPlane;
            bool atEnd = sample == problem.Samples - 1 && firstChannel + channels >= problem.Kernel.C;
            int whole = (problem.Length + (atEnd ? 0 : lanes - 1)) / lanes * lanes;
            for (int from = 0; from < whole; from += CorrelationChunk)
            {
                int length = Math.Min(CorrelationChunk, whole - from);
                for (int t = 0; t < tapTiles; t++)
                {
                    TKernels.Correlate(
                        gradient + from, (nint)problem.GradientPlane, input + from, offsets + t * tile, length,
                        sums + t * tile * lanes, sumPitch);
                }
            }

            // The very last values one by one: a vector would read beyond the input, where a NaN times zero is NaN.
            for (int row = 0; row < rows; row++)
            {
                for (int t = 0; t < taps; t++)
                {
                    for (int i = whole; i < problem.Length; i++)
                        sums[row * sumPitch + t * lanes] +=
                            gradient[row * problem.GradientPlane + i] * input[i + offsets[t]];
                }
            }
        }

        // A tile's rows beyond the last channel were computed from whatever lay there and are not used.
        for (int row = 0; row < Math.Min(rows, problem.OutputChannels - firstRow); row++)
            for (int t = 0; t < taps; t++)
            {
                long weight =
                    (firstRow + row) * problem.Kernel.SampleCount + (long)firstChannel * problem.Kernel.Plane + t;
                weightGradient[weight] += TKernels.Sum(sums + row * sumPitch + t * lanes);
            }
    }

    private static void FindOffsets(in Correlation problem, int taps, int count, int* offsets)
    {
        for (int t = 0; t < count; t++)
        {
            (int channel, int tap) = Math.DivRem(Math.Min(t, taps - 1), problem.Kernel.Plane);
            (int ky, int kx) = Math.DivRem(tap, problem.Kernel.W);
            offsets[t] = checked((int)(channel * problem.InputPlane + ky * problem.Pitch + kx));
        }
    }
}
