using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu;

/// <summary>Where a weight lies in a tensor: row * Row + channel * Channel + tap * Tap from Start. Rows are what a
/// convolution computes, channels what it sums over.</summary>
internal readonly record struct WeightStrides(long Start, long Row, long Channel, long Tap)
{
    /// <summary>Rows are output channels.</summary>
    public static WeightStrides Forward(Shape shape) => new(0, shape.SampleCount, shape.Plane, 1);

    /// <summary>For the input gradient: rows are input channels, taps are reversed.</summary>
    public static WeightStrides Backward(Shape shape) => new(shape.Plane - 1, shape.Plane, shape.SampleCount, -1);
}

/// <summary>Weights in the order in which the inner loop of the direct convolution reads them:
/// [block of depth][block of rows][depth][row], depth over [channel, ky, kx].</summary>
internal static unsafe class PackedWeights
{
    private static readonly object ForwardForm = new(), BackwardForm = new();

    /// <summary>For the forward pass: rows are output channels.</summary>
    public static float* Forward(Tensor weights, int rows, int depthBlock, WorkerPool pool)
    {
        Shape shape = weights.Shape;
        return WeightCache.Get(weights, ForwardForm, Count(shape.N, shape.C * shape.Plane, rows), target => Pack(
            weights, WeightStrides.Forward(shape), shape.N, shape.C * shape.Plane, rows, depthBlock, pool,
            (float*)target));
    }

    /// <summary>For the input gradient: rows are input channels, depth runs over [output channel, ky, kx], taps
    /// reversed.</summary>
    public static float* Backward(Tensor weights, int rows, int depthBlock, WorkerPool pool)
    {
        Shape shape = weights.Shape;
        return WeightCache.Get(weights, BackwardForm, Count(shape.C, shape.N * shape.Plane, rows), target => Pack(
            weights, WeightStrides.Backward(shape), shape.C, shape.N * shape.Plane, rows, depthBlock, pool,
            (float*)target));
    }

    private static long Count(int rowCount, int depth, int rows) => (long)(rowCount + rows - 1) / rows * rows * depth;

    private static void Pack(
        Tensor weights, WeightStrides strides, int rowCount, int depth, int rows, int depthBlock, WorkerPool pool,
        float* packed)
    {
        int rowBlocks = (rowCount + rows - 1) / rows, taps = weights.Shape.Plane;
        pool.Run((depth + depthBlock - 1) / depthBlock, block =>
        {
            int first = block * depthBlock, last = Math.Min(first + depthBlock, depth);
            float* source = (float*)weights.Address + strides.Start;
            float* target = packed + (long)first * rowBlocks * rows;
            for (int rowBlock = 0; rowBlock < rowBlocks; rowBlock++)
            {
                (int channel, int tap) = Math.DivRem(first, taps);
                int row0 = rowBlock * rows, filled = Math.Min(rows, rowCount - row0);
                for (int k = first; k < last; k++, target += rows)
                {
                    float* weight = source + row0 * strides.Row + channel * strides.Channel + tap * strides.Tap;
                    for (int row = 0; row < rows; row++)
                        target[row] = row < filled ? weight[row * strides.Row] : 0;
                    if (++tap == taps) (channel, tap) = (channel + 1, 0);
                }
            }
        });
    }
}
