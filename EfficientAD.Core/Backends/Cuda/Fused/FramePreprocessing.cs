using EfficientAD.Imaging;
using EfficientAD.Native;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>A network's input in half precision: [n, height, pitch, 4], bytes over 256, then 1.</summary>
internal readonly record struct HalfImage(nint Address, int Height, int Width)
{
    /// <summary>Red, green, blue, and one.</summary>
    public const int Channels = 4;

    /// <summary>Pixels from row to row: even, so that rows start at multiples of 16 bytes.</summary>
    public int Pitch => (Width + 1) / 2 * 2;

    /// <summary>The image of one of several samples.</summary>
    public HalfImage Of(int sample) => this with { Address = Address + (nint)(sample * Bytes(1, Height, Width)) };

    public static long Bytes(int samples, int height, int width) =>
        (long)samples * height * ((width + 1) / 2 * 2) * Channels * sizeof(ushort);
}

/// <summary>From frames of one size to the networks' inputs, one or two of different sizes.</summary>
internal abstract class FrameSource : IDisposable
{
    /// <summary>How many launches so many frames take.</summary>
    public abstract int Launches(int samples);

    /// <param name="first">The first frame; the others lie behind it.</param>
    /// <param name="frameBytes">From one frame to the next.</param>
    public abstract void Launch(CudaStream stream, in DeviceImage first, long frameBytes, int samples);

    public abstract void Dispose();
}

/// <summary>All of it in one launch.</summary>
internal sealed class FramePreprocessing : FrameSource
{
    private const int TileWidth = 32, TileHeight = 8, PointersOfTarget = 7, WordsOfTarget = PointersOfTarget + 2;

    private readonly CudaKernel _kernel;
    private readonly ResizeFilterPair[] _filters;
    private readonly DeviceBuffer _targets;
    private readonly Extent _tiles;
    private readonly int _targetCount;

    /// <summary>Waits for the device.</summary>
    public FramePreprocessing(
        CudaStream stream, KernelLibrary kernels, int frameHeight, int frameWidth,
        params ReadOnlySpan<HalfImage> targets)
    {
        _kernel = kernels.Get("fused_preprocess", "fused_preprocess");
        _targetCount = targets.Length;
        _filters = new ResizeFilterPair[targets.Length];
        var table = new long[targets.Length * WordsOfTarget];
        (int across, int down) = (0, 0);
        for (int i = 0; i < targets.Length; i++)
        {
            HalfImage target = targets[i];
            _filters[i] = new ResizeFilterPair(
                stream, new PreprocessingSizes(
                    frameHeight, frameWidth, target.Height, target.Width, target.Height, target.Width));
            (DeviceFilter columns, DeviceFilter rows) = (_filters[i].Columns, _filters[i].Rows);
            long[] words =
            [
                columns.Starts, columns.Offsets, columns.Weights, rows.Starts, rows.Offsets, rows.Weights,
                target.Address, Pair(target.Height, target.Width), Pair(target.Pitch, 0),
            ];
            words.CopyTo(table, i * WordsOfTarget);
            across = Math.Max(across, ConvolutionProduct.CeilingOf(target.Pitch, TileWidth));
            down = Math.Max(down, ConvolutionProduct.CeilingOf(target.Height, TileHeight));
        }

        _tiles = new Extent(across, down);
        _targets = DeviceArray.Upload<long>(stream, table);
    }

    public override int Launches(int samples) => 1;

    public override void Launch(CudaStream stream, in DeviceImage first, long frameBytes, int samples)
    {
        var shape = new LaunchShape(_tiles with { Z = _targetCount * samples }, new Extent(TileWidth, TileHeight));
        _kernel.Launch(
            stream, shape, first.Address, frameBytes, first.Stride, first.PixelBytes, first.Red, first.Blue, samples,
            _targets.Address);
    }

    public override void Dispose()
    {
        foreach (ResizeFilterPair filter in _filters) filter.Dispose();
        _targets.Dispose();
    }

    /// <summary>Two numbers as they lie in memory one behind the other.</summary>
    private static long Pair(int low, int high) => (uint)low | (long)high << 32;
}
