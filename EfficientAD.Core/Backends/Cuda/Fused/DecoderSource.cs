using EfficientAD.Native;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>The autoencoder but for its last layer.</summary>
internal abstract class DecoderSource : IDisposable
{
    /// <summary>Extent of the decoder's last maps.</summary>
    public const int OutputSide = 56;

    /// <summary>The same with the zeros around it that the last layer's padding is.</summary>
    public const int HiddenSide = OutputSide + 2;

    /// <summary>Channels of the decoder's hidden maps.</summary>
    public const int Channels = 64;

    /// <summary>How many launches there are.</summary>
    public abstract int Launches { get; }

    /// <summary>The decoder's last hidden map, [samples, 58, 58, 64] half, zeros around it.</summary>
    public abstract nint Hidden { get; }

    /// <summary>As the last layer wants it.</summary>
    public DecoderMap Output => new(
        Hidden, HiddenSide * HiddenSide * Channels, HiddenSide * Channels, Channels, HiddenSide * Channels, Channels);

    /// <summary>Where the map lies within its zeros.</summary>
    private protected nint Inner => Hidden + (HiddenSide + 1) * Channels * sizeof(ushort);

    /// <summary>Gives the launches to a stream.</summary>
    /// <param name="image">256 x 256.</param>
    public abstract void Launch(CudaStream stream, HalfImage image, int samples);

    public abstract void Dispose();
}

/// <summary>What the autoencoder's last layer reads, resized to maps that are not 56 x 56: resizing the layer's output
/// is resizing each of the nine things that it adds up.</summary>
internal sealed class DecoderColumns : IDisposable
{
    private const int Taps = 9, TapsAcross = 3, Depth = Taps * DecoderSource.Channels, Threads = 128, Chunk = 8;

    private readonly CudaKernel _kernel;
    private readonly DeviceBuffer _columns;
    private readonly int _height, _width;

    public DecoderColumns(CudaStream stream, KernelLibrary kernels, int samples, int height, int width)
    {
        (_height, _width) = (height, width);
        _kernel = kernels.Get("fused_decoder", "fused_decoder_columns");
        _columns = new DeviceBuffer(stream, (long)samples * height * width * Depth * sizeof(ushort));
    }

    /// <summary>As the last layer wants it.</summary>
    public DecoderMap Output => new(
        _columns.Address, _height * _width * Depth, _width * Depth, Depth, TapsAcross * DecoderSource.Channels,
        DecoderSource.Channels);

    /// <summary>Whether maps have the decoder's own size.</summary>
    public static bool AreNotNeeded(int height, int width) =>
        height == DecoderSource.OutputSide && width == DecoderSource.OutputSide;

    /// <param name="hidden">The decoder's last hidden map.</param>
    public void Launch(CudaStream stream, nint hidden, int samples)
    {
        int items = checked(_height * _width * Depth / Chunk);
        _kernel.Launch(
            stream, new LaunchShape(
                new Extent(ConvolutionProduct.CeilingOf(items, Threads), samples), new Extent(Threads)),
            hidden, DecoderSource.OutputSide, _columns.Address, _height, _width);
    }

    public void Dispose() => _columns.Dispose();
}
