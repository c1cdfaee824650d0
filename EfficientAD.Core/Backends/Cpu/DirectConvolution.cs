using System.Runtime.CompilerServices;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu;

/// <summary>Convolution as a matrix product whose right side is gathered on the fly: for a block of the depth
/// [channel, ky, kx], the pixels of one register tile are packed once (first-level cache) and all output channels pass
/// over them, their weights streaming from the second-level cache.</summary>
internal sealed unsafe partial class DirectConvolution<TKernels>(WorkerPool pool) : ConvolutionEngine
    where TKernels : struct, IConvolutionKernels
{
    // A packed pixel block takes 24 KiB: half of a first-level cache.
    private static readonly int DepthBlock = 6144 / TKernels.Columns;
    private const int PanelsPerChunk = 24;

    private readonly PaddedPlanes _input = new(), _gradient = new();

    /// <summary>The planes a convolution without padding reads and the grid of outputs it writes.</summary>
    /// <param name="Source">Planes of <paramref name="PlaneCount"/> floats, rows <paramref name="Pitch"/>
    /// apart.</param>
    private readonly record struct Problem(
        nint Source, long PlaneCount, int Pitch, int Channels, int KernelHeight, int KernelWidth, int Stride,
        nint Weights, nint Bias, bool Accumulate, bool Relu, nint Output, int OutputChannels, int OutputHeight,
        int OutputWidth)
    {
        public int Depth => Channels * KernelHeight * KernelWidth;

        public int Pixels => OutputHeight * OutputWidth;
    }

    public override void Forward(
        Tensor input, Tensor weights, Tensor? bias, Convolution2dGeometry geometry, bool relu, Tensor output)
    {
        Shape shape = input.Shape, kernel = weights.Shape;
        int padding = geometry.Padding, height = shape.H + 2 * padding, pitch = shape.W + 2 * padding;
        float* source = padding == 0
            ? (float*)input.Address
            : _input.Lay(input, padding, padding, 1, height, pitch, (long)height * pitch, pool);
        Compute(shape.N, new Problem(
            (nint)source, (long)height * pitch, pitch, shape.C, kernel.H, kernel.W, geometry.Stride,
            (nint)PackedWeights.Forward(weights, TKernels.Rows, DepthBlock, pool), bias?.Address ?? 0, false, relu,
            output.Address, kernel.N, output.Shape.H, output.Shape.W));
    }

    /// <remarks>The gradient of a convolution is a convolution of the gradient, with zeros put back between its values
    /// where the stride skipped and around it where the kernel reached out, by the reversed kernel.</remarks>
    public override void InputGradient(
        Tensor outputGradient, Tensor weights, Convolution2dGeometry geometry, Tensor inputGradient)
    {
        Shape shape = inputGradient.Shape, kernel = weights.Shape;
        int height = shape.H + kernel.H - 1, pitch = shape.W + kernel.W - 1;
        float* source = _gradient.Lay(
            outputGradient, kernel.H - 1 - geometry.Padding, kernel.W - 1 - geometry.Padding, geometry.Stride,
            height, pitch, (long)height * pitch, pool);
        Compute(shape.N, new Problem(
            (nint)source, (long)height * pitch, pitch, kernel.N, kernel.H, kernel.W, 1,
            (nint)PackedWeights.Backward(weights, TKernels.Rows, DepthBlock, pool), 0, true, false,
            inputGradient.Address, kernel.C, shape.H, shape.W));
    }

    public override void Dispose()
    {
        _input.Dispose();
        _gradient.Dispose();
    }

    private void Compute(int samples, Problem problem)
    {
        int panels = (problem.Pixels + TKernels.Columns - 1) / TKernels.Columns;
        int rowBlocks = (problem.OutputChannels + TKernels.Rows - 1) / TKernels.Rows;
        int chunks = Math.Max(
            (panels + PanelsPerChunk - 1) / PanelsPerChunk, Math.Min(panels, (pool.Threads + samples - 1) / samples));
        // Even chunks, a multiple of the threads: the last round leaves nobody idle.
        if (samples == 1 && chunks > 1)
            chunks = Math.Min(panels, (chunks + pool.Threads - 1) / pool.Threads * pool.Threads);
        int parts = Math.Clamp(pool.Threads / (samples * chunks), 1, rowBlocks);
        pool.Run(samples * chunks * parts, item =>
        {
            (int rest, int part) = Math.DivRem(item, parts);
            (int sample, int chunk) = Math.DivRem(rest, chunks);
            ComputeChunk(
                problem, sample,
                (int)((long)panels * chunk / chunks), (int)((long)panels * (chunk + 1) / chunks),
                rowBlocks * part / parts, rowBlocks * (part + 1) / parts, rowBlocks);
        });
    }

    [SkipLocalsInit]
    private static void ComputeChunk(
        in Problem problem, int sample, int firstPanel, int endPanel, int firstRowBlock, int endRowBlock, int rowBlocks)
    {
        float* packed = stackalloc float[DepthBlock * TKernels.Columns + 2 * TKernels.Columns];
        float* edge = stackalloc float[TKernels.Rows * TKernels.Columns];
        float* bias = stackalloc float[TKernels.Rows];
        PixelRun* runs = stackalloc PixelRun[TKernels.Columns];
        float* source = (float*)problem.Source + sample * problem.Channels * problem.PlaneCount;
        float* output = (float*)problem.Output + (long)sample * problem.OutputChannels * problem.Pixels;

        for (int first = 0; first < problem.Depth; first += DepthBlock)
        {
            int depth = Math.Min(DepthBlock, problem.Depth - first);
            bool accumulate = problem.Accumulate || first > 0, relu = problem.Relu && first + depth == problem.Depth;
            for (int panel = firstPanel; panel < endPanel; panel++)
            {
                int pixel = panel * TKernels.Columns, columns = Math.Min(TKernels.Columns, problem.Pixels - pixel);
                int runCount = FindRuns(problem, pixel, columns, runs);
                Gather(problem, source, first, depth, runs, runCount, packed);
                for (int rowBlock = firstRowBlock; rowBlock < endRowBlock; rowBlock++)
                {
                    int row = rowBlock * TKernels.Rows, rows = Math.Min(TKernels.Rows, problem.OutputChannels - row);
                    float* weights =
                        (float*)problem.Weights + ((long)first * rowBlocks + (long)rowBlock * depth) * TKernels.Rows;
                    for (int r = 0; r < TKernels.Rows; r++)
                        bias[r] = problem.Bias != 0 && r < rows ? ((float*)problem.Bias)[row + r] : 0;
                    float* tile = output + (long)row * problem.Pixels + pixel;
                    if (rows == TKernels.Rows && columns == TKernels.Columns)
                    {
                        TKernels.Multiply(weights, packed, depth, bias, accumulate, relu, tile, problem.Pixels);
                        continue;
                    }

                    if (accumulate) CopyTile(tile, problem.Pixels, edge, TKernels.Columns, rows, columns);
                    TKernels.Multiply(weights, packed, depth, bias, accumulate, relu, edge, TKernels.Columns);
                    CopyTile(edge, TKernels.Columns, tile, problem.Pixels, rows, columns);
                }
            }
        }
    }

    private static void CopyTile(
        float* source, nint sourcePitch, float* target, nint targetPitch, int rows, int columns)
    {
        for (int r = 0; r < rows; r++)
            new ReadOnlySpan<float>(source + r * sourcePitch, columns).CopyTo(
                new Span<float>(target + r * targetPitch, columns));
    }
}
