using EfficientAD.Backends.Cuda.Fused;
using EfficientAD.Native;
using EfficientAD.Native.Driver;
using EfficientAD.Networks.Quantization;
using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;

namespace EfficientAD.Backends.Cuda;

/// <summary>The primitives on an NVIDIA GPU, by kernels of our own; nothing but the driver is needed.</summary>
/// <remarks>All work goes to one stream, in order, and calls return before it is done: only <see cref="Upload"/>,
/// <see cref="Download"/> and <see cref="ChannelMoments"/> wait for the device. A fault of the device therefore shows
/// at one of those. Kernels use no atomics on floats, and their grids depend on shapes alone, or for convolutions on
/// the number of multiprocessors too: same bits on every run and every device of one kind. One file per
/// operation.</remarks>
public sealed partial class CudaBackend : IBackend
{
    private readonly CudaContext _context;
    private readonly CudaStream _stream;
    private readonly CudaOptions _options;
    private readonly bool _ownsHandles;
    private readonly KernelLibrary _kernels;
    private readonly Scratch _scratch;
    private readonly StreamTimer? _timer;

    /// <summary>Computes on a device, in its primary context and on a stream of its own.</summary>
    /// <param name="device">The driver's number, from 0.</param>
    /// <exception cref="CudaException">There is no driver or no such device.</exception>
    /// <exception cref="NotSupportedException">The device is too old.</exception>
    public CudaBackend(int device = 0, CudaOptions? options = null) : this(CudaContext.Open(device), options) { }

    /// <summary>Computes in a context and on a stream that the caller made, among the caller's own work.</summary>
    /// <param name="context">Stays the caller's, and must outlive the backend.</param>
    /// <param name="stream">Of that context; stays the caller's, and must outlive the backend.</param>
    /// <exception cref="NotSupportedException">The device is too old.</exception>
    public CudaBackend(CudaContext context, CudaStream stream, CudaOptions? options = null)
        : this(context, stream, options, ownsHandles: false) { }

    internal CudaBackend(CudaDriver driver, int device = 0, CudaOptions? options = null)
        : this(CudaContext.Open(driver, device), options) { }

    private CudaBackend(CudaContext context, CudaOptions? options)
        : this(context, new CudaStream(context), options, ownsHandles: true) { }

    private CudaBackend(CudaContext context, CudaStream stream, CudaOptions? options, bool ownsHandles)
    {
        KernelLibrary.RequireSupport(context.Device);
        (_context, _stream, _options, _ownsHandles) = (context, stream, options ?? new CudaOptions(), ownsHandles);
        if (_options.TuneTiles) _timer = new StreamTimer(stream);
        _kernels = new KernelLibrary(context)
        {
            Tuner = _timer is null
                ? null
                : new FusedTuner(
                    new TuningCache(TuningCache.PathOf("tiles.json"), FusedEnvironment), _timer.Milliseconds),
        };
        _scratch = new Scratch(stream);
        _filters = new ResizeFilters(stream);
        _convolution = new CudaConvolution(stream, _kernels, _scratch, _options.LayerPrecision);
        _sparse = new SparseConvolution(stream, _kernels, _scratch);
        if (_options.UseLibraries)
            _tuned = TunedConvolution.TryOpen(stream, _convolution, _scratch, _options.LayerPrecision);
    }

    public string Name => $"CUDA, {_context.Device.Name} (compute capability {_context.Device.ComputeCapability})";

    /// <summary>Where all work goes.</summary>
    internal CudaStream Stream => _stream;

    internal KernelLibrary Kernels => _kernels;

    /// <summary>What detection's fused plan multiplies; null for halves.</summary>
    internal EightBits? Format => _options.Precision switch
    {
        CudaPrecision.Int8 => EightBits.Int8,
        CudaPrecision.Fp8 => EightBits.Fp8,
        _ => null,
    };

    /// <summary>What choices and checks of fused kernels hold for: card, driver and kernels.</summary>
    internal string FusedEnvironment =>
        $"{_context.Device.Name}; driver {_context.DriverVersion}; kernels {KernelLibrary.HashOf("")}";

    public Tensor Allocate(Shape shape)
    {
        RequireExtents(shape);
        var memory = new DeviceBuffer(_stream, checked(shape.Count * sizeof(float)));
        _stream.Fill(0, memory.Address, shape.Count);
        return new Tensor(shape, memory.Address, memory);
    }

    public void Upload(ReadOnlySpan<float> source, Tensor destination)
    {
        RequireCount(source.Length, destination);
        _stream.Upload(source, destination.Address);
        MarkWritten(destination);
    }

    public void Download(Tensor source, Span<float> destination)
    {
        RequireCount(destination.Length, source);
        _stream.Download(source.Address, destination);
    }

    public void Fill(float value, Tensor destination)
    {
        _stream.Fill(BitConverter.SingleToUInt32Bits(value), destination.Address, destination.Shape.Count);
        MarkWritten(destination);
    }

    public void Copy(Tensor source, Tensor destination)
    {
        RequireSameShape(source, destination);
        _stream.Copy(source.Address, destination.Address, source.Shape.Count * sizeof(float));
        MarkWritten(destination);
    }

    /// <summary>Why detection must not use the fused plan here, in a sentence; null where it may. The first time that a
    /// card, driver and kernels meet a problem this takes about as long as a few detections on the CPU.</summary>
    internal string? FindFusedFault(FusedProblem problem) =>
        _options.IsTrusted ? null : new FusedCheck(this).FindFault(problem);

    internal StreamClock CreateClock() => new(_stream);

    /// <summary>Frees what the backend holds on the device, in the stream's order; waits for nothing.</summary>
    public void Dispose()
    {
        _timer?.Dispose();
        _adamTable?.Dispose();
        _tuned?.Dispose();
        _staging?.Dispose();
        _filters.Dispose();
        _scratch.Dispose();
        _kernels.Dispose();
        if (!_ownsHandles) return;
        _stream.Dispose();
        _context.Dispose();
    }
}
