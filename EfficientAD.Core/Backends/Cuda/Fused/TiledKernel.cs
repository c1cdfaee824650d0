using EfficientAD.Native;
using EfficientAD.Networks.Quantization;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>A fused kernel in all its tiles.</summary>
internal sealed class TiledKernel
{
    private const int Chunk = 8;

    private readonly CudaKernel[] _kernels;
    private readonly string _prefix;
    private readonly int _multiprocessors;
    private readonly FusedTuner? _tuner;

    /// <param name="prefix">The kernels' names but for their tile.</param>
    public TiledKernel(CudaStream stream, KernelLibrary kernels, string file, string prefix)
    {
        _kernels = [.. FusedTile.All.Select(tile => kernels.Get(file, prefix + tile.Name))];
        (_prefix, _multiprocessors, _tuner) = (prefix, stream.Context.Device.Multiprocessors, kernels.Tuner);
    }

    /// <param name="rows">Output pixels, before pooling.</param>
    /// <param name="columns">Tiles of output channels.</param>
    /// <param name="depth">Products of an output.</param>
    /// <param name="tile">Null for the one that suits the device: as measured, where that is wanted, else by a
    /// model.</param>
    public void Launch(
        CudaStream stream, int rows, int columns, int depth, FusedTile? tile,
        params ReadOnlySpan<KernelArgument> arguments)
    {
        tile ??= Tuned(stream, rows, columns, depth, arguments) ?? FusedTile.Choose(rows, columns, _multiprocessors);
        CudaKernel kernel = _kernels[0];
        for (int i = 0; i < _kernels.Length; i++)
        {
            if (FusedTile.All[i] == tile) kernel = _kernels[i];
        }

        var shape = new LaunchShape(
            new Extent(tile.Blocks(rows, columns)), new Extent(tile.Pixels), tile.SharedBytes);
        kernel.Launch(stream, shape, arguments);
    }

    /// <summary>The first launch of a problem measures; while the stream is captured nothing can be.</summary>
    private FusedTile? Tuned(
        CudaStream stream, int rows, int columns, int depth, ReadOnlySpan<KernelArgument> arguments)
    {
        if (_tuner is null) return null;
        var problem = new TiledProblem(_prefix, rows, columns, depth);
        if (_tuner.Find(problem) is { } known) return known;
        return stream.IsCapturing ? null : Measure(stream, problem, [.. arguments]);
    }

    private FusedTile Measure(CudaStream stream, TiledProblem problem, KernelArgument[] arguments) => _tuner!.Measure(
        problem, tile => Launch(stream, problem.Rows, problem.Columns, problem.Depth, tile, arguments));

    /// <summary>Of a file of kernels for a format; null for halves.</summary>
    public static string NameOf(string file, EightBits? format) => format is null ? file : $"{file}_{format}";

    /// <summary>Whether the 32-bit indices of the kernels reach all of a map.</summary>
    /// <exception cref="ArgumentException">They do not.</exception>
    public static void RequireReach(int n, int h, int w, int channels)
    {
        long pixels = (long)n * h * w;
        if (pixels > int.MaxValue || pixels * (channels / Chunk) > uint.MaxValue)
        {
            throw new ArgumentException(
                $"Fused convolution: {n} x {h} x {w} pixels of {channels} channels are beyond the kernels' 32-bit " +
                "indices. Use a smaller image or batch.");
        }
    }
}
