using EfficientAD.Native.Driver;

namespace EfficientAD.Native;

/// <summary>Host memory that the device reads and writes directly, so that copies overlap with the host's
/// work.</summary>
/// <remarks>Dispose it once no stream copies from or to it any more. Pinned memory is taken from what other programs
/// can have: keep it small and use it again (<see cref="PinnedRing"/>).</remarks>
public sealed unsafe class PinnedBuffer : CudaHandle
{
    private readonly bool _isRegistered;

    /// <summary>Allocates.</summary>
    /// <param name="bytes">1 or more. The values are whatever was there.</param>
    /// <param name="writeCombined">Faster to send, very slow for the host to read: for uploads only.</param>
    public PinnedBuffer(CudaContext context, long bytes, bool writeCombined = false) : base(context, ownsHandle: true)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1);
        Bytes = bytes;
        PinnedFlags flags = PinnedFlags.Portable | (writeCombined ? PinnedFlags.WriteCombined : PinnedFlags.None);
        using CudaContext.Scope scope = context.Enter();
        nint address;
        Driver.ThrowIfFailed(Driver.cuMemHostAlloc(&address, (nuint)bytes, flags));
        Own(address);
    }

    private PinnedBuffer(CudaContext context, nint address, long bytes) : base(context, ownsHandle: true)
    {
        (Bytes, _isRegistered) = (bytes, true);
        using CudaContext.Scope scope = context.Enter();
        Driver.ThrowIfFailed(Driver.cuMemHostRegister_v2(address, (nuint)bytes, PinnedFlags.Portable));
        Own(address);
    }

    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    public nint Address => OpenHandle;

    public long Bytes { get; }

    /// <summary>Pins memory that another library owns, a frame grabber's buffer for instance. Disposing unpins it and
    /// frees nothing.</summary>
    /// <param name="address">Whole pages are pinned; the memory must stay in place until the buffer is
    /// disposed.</param>
    /// <param name="bytes">1 or more.</param>
    public static PinnedBuffer Register(CudaContext context, nint address, long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfZero(address);
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1);
        return new PinnedBuffer(context, address, bytes);
    }

    /// <summary>The memory as values; valid until the buffer is disposed.</summary>
    public Span<T> AsSpan<T>() where T : unmanaged => new((void*)Address, checked((int)(Bytes / sizeof(T))));

    internal void RequireLength(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        if (bytes > Bytes)
            throw new ArgumentException($"{bytes} bytes do not fit a pinned buffer of {Bytes}. Make a larger one.");
    }

    private protected override CudaResult Destroy(nint released) =>
        _isRegistered ? Driver.cuMemHostUnregister(released) : Driver.cuMemFreeHost(released);
}
