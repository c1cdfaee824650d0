using EfficientAD.Native.Driver;

namespace EfficientAD.Native;

/// <summary>An ordered queue of device work. Launches, and copies from and to pinned memory, return before the work is
/// done.</summary>
/// <remarks>Not thread-safe. Dispose waits for nothing: work already given is still done, and reads and writes the
/// memory it was given; call <see cref="Synchronize"/> before freeing that.</remarks>
public sealed unsafe partial class CudaStream : CudaHandle
{
    /// <summary>A stream without hidden ordering against other streams.</summary>
    public CudaStream(CudaContext context) : base(context, ownsHandle: true)
    {
        using CudaContext.Scope scope = context.Enter();
        nint stream;
        Driver.ThrowIfFailed(Driver.cuStreamCreate(&stream, StreamFlags.NonBlocking));
        Own(stream);
    }

    private CudaStream(CudaContext context, nint stream) : base(context, ownsHandle: false) => SetHandle(stream);

    /// <summary>CUstream.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    public nint Handle => OpenHandle;

    /// <summary>Whether all work given so far is done.</summary>
    /// <exception cref="CudaException">Some of it failed.</exception>
    public bool IsDone
    {
        get
        {
            using CudaContext.Scope scope = Context.Enter();
            CudaResult result = Driver.cuStreamQuery(OpenHandle);
            if (result == CudaResult.NotReady) return false;
            Driver.ThrowIfFailed(result, nameof(Driver.cuStreamQuery));
            return true;
        }
    }

    /// <summary>Works on a stream that another library made, and never destroys it.</summary>
    /// <param name="context">The context that the stream belongs to.</param>
    /// <param name="stream">CUstream; 0 is the default stream of the context, which cannot be captured.</param>
    /// <exception cref="ArgumentException">The stream belongs to another context.</exception>
    public static CudaStream FromHandle(CudaContext context, nint stream)
    {
        using CudaContext.Scope scope = context.Enter();
        nint owner;
        context.Driver.ThrowIfFailed(context.Driver.cuStreamGetCtx(stream, &owner));
        return owner == context.Handle
            ? new CudaStream(context, stream)
            : throw new ArgumentException(
                $"Stream 0x{stream:x} belongs to context 0x{owner:x}, not to 0x{context.Handle:x}. " +
                "Pass the context that was current when the stream was created.", nameof(stream));
    }

    /// <summary>Waits until all work given so far is done.</summary>
    /// <exception cref="CudaException">Some of it failed.</exception>
    public void Synchronize()
    {
        using CudaContext.Scope scope = Context.Enter();
        Driver.ThrowIfFailed(Driver.cuStreamSynchronize(OpenHandle));
    }

    /// <summary>Lets work given from now on start after what <paramref name="recorded"/> marks. The host waits for
    /// nothing.</summary>
    public void Wait(CudaEvent recorded)
    {
        using CudaContext.Scope scope = Context.Enter();
        Driver.ThrowIfFailed(Driver.cuStreamWaitEvent(OpenHandle, recorded.Handle, 0));
        GC.KeepAlive(recorded);
    }

    private protected override CudaResult Destroy(nint released) => Driver.cuStreamDestroy_v2(released);
}
