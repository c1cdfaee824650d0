using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu;

/// <summary>Weights in the order in which the inner loop reads them: [block of depth][block of rows][depth][row].</summary>
/// <remarks>Kept with the tensor and made anew when its version has changed, so that inference packs once.</remarks>
internal sealed unsafe class PackedWeights
{
    private AlignedMemory? _forward, _backward;
    private int _forwardVersion = -1, _backwardVersion = -1;

    /// <summary>Where a weight lies: row * Row + channel * Channel + tap * Tap from Start.</summary>
    private readonly record struct Strides(long Start, long Row, long Channel, long Tap);

    /// <summary>For the forward pass: rows are output channels, depth runs over [input channel, ky, kx].</summary>
    public static float* Forward(Tensor weights, int rows, int depthBlock, WorkerPool pool)
    {
        PackedWeights packed = Of(weights);
        Shape shape = weights.Shape;
        if (packed._forwardVersion != weights.Version)
        {
            packed._forward ??= Allocate(shape.N, shape.C * shape.Plane, rows);
            var strides = new Strides(0, shape.SampleCount, shape.Plane, 1);
            Pack(weights, strides, shape.N, shape.C * shape.Plane, rows, depthBlock, pool, packed._forward);
            packed._forwardVersion = weights.Version;
        }

        return (float*)packed._forward!.Address;
    }

    /// <summary>For the input gradient: rows are input channels, depth runs over [output channel, ky, kx], taps reversed.</summary>
    public static float* Backward(Tensor weights, int rows, int depthBlock, WorkerPool pool)
    {
        PackedWeights packed = Of(weights);
        Shape shape = weights.Shape;
        if (packed._backwardVersion != weights.Version)
        {
            packed._backward ??= Allocate(shape.C, shape.N * shape.Plane, rows);
            var strides = new Strides(shape.Plane - 1, shape.Plane, shape.SampleCount, -1);
            Pack(weights, strides, shape.C, shape.N * shape.Plane, rows, depthBlock, pool, packed._backward);
            packed._backwardVersion = weights.Version;
        }

        return (float*)packed._backward!.Address;
    }

    private static PackedWeights Of(Tensor weights) => (PackedWeights)(weights.Derived ??= new PackedWeights());

    private static AlignedMemory Allocate(int rowCount, int depth, int rows) =>
        new((long)(rowCount + rows - 1) / rows * rows * depth * sizeof(float));

    private static void Pack(
        Tensor weights, Strides strides, int rowCount, int depth, int rows, int depthBlock, WorkerPool pool, AlignedMemory memory)
    {
        int rowBlocks = (rowCount + rows - 1) / rows, taps = weights.Shape.Plane;
        pool.Run((depth + depthBlock - 1) / depthBlock, block =>
        {
            int first = block * depthBlock, last = Math.Min(first + depthBlock, depth);
            float* source = (float*)weights.Address + strides.Start;
            float* target = (float*)memory.Address + (long)first * rowBlocks * rows;
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
