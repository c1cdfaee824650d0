using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace EfficientAD.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    private const int RememberedTaps = 64;

    private readonly Dictionary<(int Input, int Output, float Scale, float Offset), BilinearTaps> _taps = [];

    /// <remarks>Columns first, then rows, as PyTorch rounds; a stretched row serves all outputs that need it.</remarks>
    public void ResizeBilinear(Tensor input, Tensor output)
    {
        (Shape from, Shape to) = (input.Shape, output.Shape);
        Resample(
            input, Taps(from.H, to.H, BilinearTaps.Scale(from.H, to.H), BilinearTaps.HalfPixel),
            Taps(from.W, to.W, BilinearTaps.Scale(from.W, to.W), BilinearTaps.HalfPixel), output);
    }

    public void ResampleBilinear(Tensor input, float scaleY, float offsetY, float scaleX, float offsetX, Tensor output)
    {
        (Shape from, Shape to) = (input.Shape, output.Shape);
        Resample(input, Taps(from.H, to.H, scaleY, offsetY), Taps(from.W, to.W, scaleX, offsetX), output);
    }

    /// <summary>Remembered: the same few resizes come with every image.</summary>
    private BilinearTaps Taps(int input, int output, float scale, float offset)
    {
        if (_taps.TryGetValue((input, output, scale, offset), out BilinearTaps? known)) return known;
        if (_taps.Count == RememberedTaps) _taps.Clear();
        return _taps[(input, output, scale, offset)] = new BilinearTaps(input, output, scale, offset);
    }

    private void Resample(
        Tensor input, BilinearTaps rows, BilinearTaps columns, Tensor output, [CallerMemberName] string operation = "")
    {
        RequireSamePlanes(input, output, operation);
        (Shape from, Shape to) = (input.Shape, output.Shape);
        RunRanges((long)to.N * to.C * to.H, to.W, (first, end) =>
        {
            float[] buffer = ArrayPool<float>.Shared.Rent(checked(2 * to.W));
            Span<float> low = buffer.AsSpan(0, to.W), high = buffer.AsSpan(to.W, to.W);
            long heldLow = -1, heldHigh = -1;  // the input rows, counted over all planes, that the buffers hold
            for (long row = first; row < end; row++)
            {
                (long plane, long y) = Math.DivRem(row, to.H);
                long wantedLow = plane * from.H + rows.Low[y], wantedHigh = plane * from.H + rows.High[y];
                if (wantedLow == heldHigh)
                {
                    Span<float> free = low;
                    low = high;
                    high = free;
                    (heldLow, heldHigh) = (heldHigh, heldLow);
                }

                if (wantedLow != heldLow) StretchRow(Pointer(input) + wantedLow * from.W, columns, low);
                if (wantedHigh != heldHigh) StretchRow(Pointer(input) + wantedHigh * from.W, columns, high);
                (heldLow, heldHigh) = (wantedLow, wantedHigh);
                BlendRows(low, high, rows.Fraction[y], new Span<float>(Pointer(output) + row * to.W, to.W));
            }

            ArrayPool<float>.Shared.Return(buffer);
        });
    }

    /// <remarks>Every input gathers from the outputs it went into: no write conflicts, one order of sums.</remarks>
    public void ResizeBilinearBackward(Tensor outputGradient, Tensor inputGradient)
    {
        RequireSamePlanes(outputGradient, inputGradient);
        (Shape from, Shape to) = (inputGradient.Shape, outputGradient.Shape);
        (int[] rowStart, int[] rowOutput, float[] rowWeight) = new BilinearTaps(from.H, to.H).Transpose(from.H);
        var columns = new BilinearTaps(from.W, to.W).Transpose(from.W);
        long valuesEach = from.W + 2L * to.W * to.H / from.H;
        RunRanges((long)from.N * from.C * from.H, Math.Max(1, valuesEach), (first, end) =>
        {
            float[] buffer = ArrayPool<float>.Shared.Rent(to.W);
            Span<float> sum = buffer.AsSpan(0, to.W);
            for (long row = first; row < end; row++)
            {
                (long plane, long y) = Math.DivRem(row, from.H);
                if (rowStart[y] == rowStart[y + 1]) continue;
                sum.Clear();
                for (int tap = rowStart[y]; tap < rowStart[y + 1]; tap++)
                {
                    float* gradient = Pointer(outputGradient) + (plane * to.H + rowOutput[tap]) * to.W;
                    TensorPrimitives.MultiplyAdd(new ReadOnlySpan<float>(gradient, to.W), rowWeight[tap], sum, sum);
                }

                GatherRow(sum, columns.Start, columns.Output, columns.Weight, Pointer(inputGradient) + row * from.W);
            }

            ArrayPool<float>.Shared.Return(buffer);
        });
    }

    private static void StretchRow(float* source, BilinearTaps columns, Span<float> destination)
    {
        ReadOnlySpan<int> low = columns.Low, high = columns.High;
        ReadOnlySpan<float> fraction = columns.Fraction;
        for (int x = 0; x < destination.Length; x++)
            destination[x] = (1 - fraction[x]) * source[low[x]] + fraction[x] * source[high[x]];
    }

    private static void BlendRows(
        ReadOnlySpan<float> low, ReadOnlySpan<float> high, float fraction, Span<float> destination)
    {
        int x = 0;
        for (; x + 8 <= destination.Length; x += 8)
        {
            Vector256<float> weighted = Vector256.Create(low[x..]) * (1 - fraction);
            (weighted + Vector256.Create(high[x..]) * fraction).CopyTo(destination[x..]);
        }

        for (; x < destination.Length; x++) destination[x] = low[x] * (1 - fraction) + high[x] * fraction;
    }

    private static void GatherRow(
        ReadOnlySpan<float> gradient, int[] start, int[] output, float[] weight, float* destination)
    {
        int tap = 0;
        for (int x = 0; x + 1 < start.Length; x++)
        {
            float sum = 0;
            for (; tap < start[x + 1]; tap++) sum += weight[tap] * gradient[output[tap]];
            destination[x] += sum;
        }
    }
}
