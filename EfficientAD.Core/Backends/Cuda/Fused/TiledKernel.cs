using EfficientAD.Native;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>A fused kernel in all its tiles.</summary>
internal sealed class TiledKernel
{
    private const int Chunk = 8;

    private readonly CudaKernel[] _kernels;
    private readonly int _multiprocessors;

    /// <param name="prefix">The kernels' names but for their tile.</param>
    public TiledKernel(CudaStream stream, KernelLibrary kernels, string file, string prefix)
    {
        _kernels = [.. FusedTile.All.Select(tile => kernels.Get(file, prefix + tile.Name))];
        _multiprocessors = stream.Context.Device.Multiprocessors;
    }

    /// <param name="tile">Null for the one that suits the device.</param>
    /// <inheritdoc cref="FusedTile.Blocks"/>
    public void Launch(
        CudaStream stream, int rows, int columns, FusedTile? tile, params ReadOnlySpan<KernelArgument> arguments)
    {
        tile ??= FusedTile.Choose(rows, columns, _multiprocessors);
        CudaKernel kernel = _kernels[0];
        for (int i = 0; i < _kernels.Length; i++)
        {
            if (FusedTile.All[i] == tile) kernel = _kernels[i];
        }

        var shape = new LaunchShape(
            new Extent(tile.Blocks(rows, columns)), new Extent(tile.Pixels), tile.SharedBytes);
        kernel.Launch(stream, shape, arguments);
    }

    /// <summary>Whether the 32-bit indices of the kernels reach all of a map.</summary>
    /// <exception cref="ArgumentException">They do not.</exception>
    public static void RequireReach(int n, int h, int w, int channels)
    {
        long pixels = (long)n * h * w;
        if (pixels > int.MaxValue || pixels * (channels / Chunk) > uint.MaxValue)
        {
            throw new ArgumentException(
                $"Fused convolution: {n} x {h} x {w} pixels of {channels} channels are beyond the kernels' 32-bit indices. " +
                "Use a smaller image or batch.");
        }
    }
}
