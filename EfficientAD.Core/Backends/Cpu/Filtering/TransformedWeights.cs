using System.Runtime.CompilerServices;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu.Filtering;

/// <summary>Weights in a form's domain: [panel][point][channel][lane of the panel]; rows and channels beyond the last
/// are zero.</summary>
internal static unsafe class TransformedWeights<TForm, TKernels>
    where TForm : struct, IFilterForm
    where TKernels : struct, IProductKernels
{
    private static readonly object ForwardForm = new(), BackwardForm = new();

    public static float* Forward(Tensor weights, WorkerPool pool)
    {
        Shape shape = weights.Shape;
        return WeightCache.Get(weights, ForwardForm, Count(shape.N, shape.C), target =>
            Transform((float*)weights.Address, WeightStrides.Forward(shape), shape.N, shape.C, pool, (float*)target));
    }

    /// <summary>For the input gradient: rows are input channels, taps are reversed.</summary>
    public static float* Backward(Tensor weights, WorkerPool pool)
    {
        Shape shape = weights.Shape;
        return WeightCache.Get(weights, BackwardForm, Count(shape.C, shape.N), target =>
            Transform((float*)weights.Address, WeightStrides.Backward(shape), shape.C, shape.N, pool, (float*)target));
    }

    public static int Panels(int rows) => (rows + 2 * TKernels.Lanes - 1) / (2 * TKernels.Lanes);

    public static int Blocks(int channels) => (channels + TKernels.Lanes - 1) / TKernels.Lanes;

    public static long Count(int rows, int channels) =>
        (long)Panels(rows) * TileTransforms<TForm, TKernels>.Points * Blocks(channels)
        * 2 * TKernels.Lanes * TKernels.Lanes;

    [SkipLocalsInit]
    public static void Transform(
        float* weights, WeightStrides strides, int rows, int channels, WorkerPool pool, float* target)
    {
        int lanes = TKernels.Lanes, panels = Panels(rows), blocks = Blocks(channels);
        int taps = TForm.Kernel * TForm.Kernel, points = TileTransforms<TForm, TKernels>.Points;
        nint pointPitch = (nint)blocks * lanes * 2 * lanes;
        pool.Run(panels * blocks, item =>
        {
            float* gathered = stackalloc float[taps * lanes], scratch = stackalloc float[points * lanes];
            (int panel, int block) = Math.DivRem(item, blocks);
            for (int channel = block * lanes; channel < Math.Min(channels, (block + 1) * lanes); channel++)
                for (int half = 0; half < 2; half++)
                {
                    int row = (2 * panel + half) * lanes;
                    float* source = weights + strides.Start + row * strides.Row + channel * strides.Channel;
                    TapVectors.Gather(source, strides, Math.Min(lanes, rows - row), taps, lanes, gathered);

                    float* destination = target + panel * points * pointPitch + (2 * channel + half) * lanes;
                    TileTransforms<TForm, TKernels>.Prefetch(destination + 2 * lanes, pointPitch);
                    TileTransforms<TForm, TKernels>.Weights(gathered, scratch, destination, pointPitch);
                }
        });
    }
}
