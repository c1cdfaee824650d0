using EfficientAD.Native.Driver;

namespace EfficientAD.Native;

/// <summary>Device memory, allocated and freed in the order of a stream.</summary>
/// <remarks>Other streams may use it once an event orders them after the allocation, and before it is disposed.
/// Disposing returns the memory once the stream has come past all work given so far: the host need not wait. Where the
/// device has no memory pools, both ends wait for the whole device instead.</remarks>
public sealed unsafe class DeviceBuffer : CudaHandle
{
    private readonly CudaStream _stream;

    /// <param name="stream">Stays alive as long as the buffer.</param>
    /// <param name="bytes">1 or more. The values are whatever was there.</param>
    /// <exception cref="CudaException">The memory is not there: <see cref="CudaException.IsOutOfMemory"/>.</exception>
    public DeviceBuffer(CudaStream stream, long bytes) : base(stream.Context, ownsHandle: true)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1);
        (_stream, Bytes) = (stream, bytes);
        using CudaContext.Scope scope = Context.Enter();
        nint address;
        CudaResult result = Context.Pool != 0
            ? Driver.cuMemAllocFromPoolAsync(&address, (nuint)bytes, Context.Pool, stream.Handle)
            : Driver.cuMemAlloc_v2(&address, (nuint)bytes);
        if (result != CudaResult.Success)
        {
            string call = Context.Pool != 0 ? nameof(Driver.cuMemAllocFromPoolAsync) : nameof(Driver.cuMemAlloc_v2);
            Driver.Throw(result, call, $"{bytes:N0} bytes were asked for on {Context.Device.Name}.");
        }
        bool isReferenced = false;
        stream.DangerousAddRef(ref isReferenced);
        Own(address);
    }

    /// <summary>CUdeviceptr, a multiple of 256.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    public nint Address => OpenHandle;

    /// <summary>As many as were asked for.</summary>
    public long Bytes { get; }

    private protected override CudaResult Destroy(nint released)
    {
        try
        {
            // A finaliser may run while the stream is captured; the graph must not free what it did not allocate.
            CaptureStatus status;
            nint stream = _stream.DangerousGetHandle();
            bool isFreedInOrder = Context.Pool != 0
                && Driver.cuStreamIsCapturing(stream, &status) == CudaResult.Success && status == CaptureStatus.None;
            return isFreedInOrder ? Driver.cuMemFreeAsync(released, stream) : Driver.cuMemFree_v2(released);
        }
        finally
        {
            _stream.DangerousRelease();
        }
    }
}
