using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace EfficientAD.Backends.Cpu.Filtering;

/// <summary>The transforms of a form in both directions, each for one block of channels.</summary>
internal static unsafe class TileTransforms<TForm, TKernels>
    where TForm : struct, IFilterForm
    where TKernels : struct, IProductKernels
{
    // Inlined by command: constants, but too long for the compiler to inline unasked. It left calls of them in the
    // loops below, two for every line that is asked for.

    /// <summary>m + r - 1: values of a tile in one direction.</summary>
    public static int Extent
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TForm.Outputs + TForm.Kernel - 1;
    }

    public static int Points
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Extent * Extent;
    }

    /// <summary>Floats of scratch that a transform needs.</summary>
    public static int Scratch
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Points * TKernels.Lanes;
    }

    /// <param name="tile">Its first pixel; rows <paramref name="pitch"/> floats apart.</param>
    /// <param name="target">Factors of points, <paramref name="pointPitch"/> floats apart.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Input(float* tile, nint pitch, float* scratch, float* target, nint pointPitch)
    {
        int extent = Extent, lanes = TKernels.Lanes;
        for (int x = 0; x < extent; x++) TForm.Input(tile + x * lanes, pitch, scratch + x * lanes, extent * lanes);
        for (int y = 0; y < extent; y++)
            TForm.Input(scratch + y * extent * lanes, lanes, target + y * extent * pointPitch, pointPitch);
    }

    /// <param name="products">Of points, <paramref name="pointPitch"/> floats apart.</param>
    /// <param name="tile">[m][m] vectors.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Output(float* products, nint pointPitch, float* scratch, float* tile)
    {
        int extent = Extent, lanes = TKernels.Lanes;
        for (int x = 0; x < extent; x++)
            TForm.Output(products + x * pointPitch, extent * pointPitch, scratch + x * lanes, extent * lanes);
        for (int y = 0; y < TForm.Outputs; y++)
            TForm.Output(scratch + y * extent * lanes, lanes, tile + y * TForm.Outputs * lanes, lanes);
    }

    /// <param name="tile">Its first output gradient; rows <paramref name="pitch"/> floats apart.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void OutputGradient(float* tile, nint pitch, float* scratch, float* target, nint pointPitch)
    {
        int extent = Extent, outputs = TForm.Outputs, lanes = TKernels.Lanes;
        for (int x = 0; x < outputs; x++)
            TForm.OutputGradient(tile + x * lanes, pitch, scratch + x * lanes, outputs * lanes);
        for (int y = 0; y < extent; y++)
            TForm.OutputGradient(scratch + y * outputs * lanes, lanes, target + y * extent * pointPitch, pointPitch);
    }

    /// <param name="weights">[r][r] vectors.</param>
    public static void Weights(float* weights, float* scratch, float* target, nint pointPitch)
    {
        int extent = Extent, kernel = TForm.Kernel, lanes = TKernels.Lanes;
        for (int x = 0; x < kernel; x++)
            TForm.Weights(weights + x * lanes, kernel * lanes, scratch + x * lanes, kernel * lanes);
        for (int y = 0; y < extent; y++)
            TForm.Weights(scratch + y * kernel * lanes, lanes, target + y * extent * pointPitch, pointPitch);
    }

    /// <param name="weightGradient">[r][r] vectors.</param>
    public static void WeightGradient(float* sums, nint pointPitch, float* scratch, float* weightGradient)
    {
        int extent = Extent, kernel = TForm.Kernel, lanes = TKernels.Lanes;
        for (int x = 0; x < extent; x++)
            TForm.WeightGradient(sums + x * pointPitch, extent * pointPitch, scratch + x * lanes, extent * lanes);
        for (int y = 0; y < kernel; y++)
            TForm.WeightGradient(scratch + y * extent * lanes, lanes, weightGradient + y * kernel * lanes, lanes);
    }

    /// <summary>Asks for the cache line of every point: they lie in as many places, more than the processor follows by
    /// itself, and come from a far cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(float* first, nint pointPitch)
    {
        if (!Sse.IsSupported) return;
        for (int point = 0; point < Points; point++, first += pointPitch) Sse.Prefetch0(first);
    }

    /// <summary>Adds a tile of output gradients up, lane by lane.</summary>
    public static void AddTile(float* tile, nint pitch, Span<double> sums)
    {
        int outputs = TForm.Outputs, lanes = TKernels.Lanes;
        for (int lane = 0; lane < lanes; lane += Vector128<float>.Count)
        {
            Vector128<float> total = Vector128<float>.Zero;
            for (int y = 0; y < outputs; y++)
                for (int x = 0; x < outputs; x++) total += Vector128.Load(tile + y * pitch + x * lanes + lane);
            for (int i = 0; i < Vector128<float>.Count; i++) sums[lane + i] += total[i];
        }
    }
}
