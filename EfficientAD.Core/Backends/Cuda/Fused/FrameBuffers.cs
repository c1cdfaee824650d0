using EfficientAD.Imaging;
using EfficientAD.Native;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>What distinguishes frames for which something is kept.</summary>
internal readonly record struct FrameKind(int Width, int Height, PixelFormat Format)
{
    public int RowBytes => Width * ImageView.BytesPerPixelOf(Format);

    public long Bytes => (long)RowBytes * Height;
}

/// <summary>What is kept on the device for frames of one kind: room for them and for their maps, the resize's tables,
/// and graphs of all the work by number of frames.</summary>
internal sealed class FrameBuffers : IDisposable
{
    private readonly DeviceBuffer _frames;
    private readonly CudaGraph?[] _graphs;

    /// <param name="preprocessing">Disposed with this.</param>
    public FrameBuffers(CudaStream stream, FrameKind kind, int samples, FrameSource preprocessing)
    {
        Kind = kind;
        _frames = new DeviceBuffer(stream, samples * kind.Bytes);
        _graphs = new CudaGraph?[samples];
        Map = new ScaledMap(stream, samples, kind.Height, kind.Width);
        Preprocessing = preprocessing;
    }

    public FrameKind Kind { get; }

    public FrameSource Preprocessing { get; }

    /// <summary>At the frames' size.</summary>
    public ScaledMap Map { get; }

    /// <summary>The first frame; each follows the one before it, rows without gaps.</summary>
    public DeviceImage First => new(_frames.Address, Kind.Width, Kind.Height, Kind.RowBytes, Kind.Format);

    /// <summary>Where a frame belongs.</summary>
    public nint AddressOf(int sample) => _frames.Address + (nint)(sample * Kind.Bytes);

    /// <summary>The graph for so many frames, null where there is none yet.</summary>
    public ref CudaGraph? Graph(int samples) => ref _graphs[samples - 1];

    public void Dispose()
    {
        foreach (CudaGraph? graph in _graphs) graph?.Dispose();
        Preprocessing.Dispose();
        Map.Dispose();
        _frames.Dispose();
    }
}

/// <summary>Room for combined maps of one size.</summary>
internal sealed class ScaledMap(CudaStream stream, int samples, int height, int width) : IDisposable
{
    /// <summary>[samples, height, width] float.</summary>
    public DeviceBuffer Values { get; } = new(stream, (long)samples * height * width * sizeof(float));

    public DeviceBuffer Maxima { get; } = new(stream, FusedVerdict.MaximaBytes(samples, height, width));

    public int Height => height;

    public int Width => width;

    public void Dispose()
    {
        Values.Dispose();
        Maxima.Dispose();
    }
}
