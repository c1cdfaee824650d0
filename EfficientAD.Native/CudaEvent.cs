using EfficientAD.Native.Driver;

namespace EfficientAD.Native;

/// <summary>A mark in a stream, to wait for or to take the time at.</summary>
public sealed unsafe class CudaEvent : CudaHandle
{
    /// <param name="timing">Whether it notes the time; without, it is cheaper.</param>
    public CudaEvent(CudaContext context, bool timing = false) : base(context, ownsHandle: true)
    {
        using CudaContext.Scope scope = context.Enter();
        nint created;
        Driver.ThrowIfFailed(Driver.cuEventCreate(&created, timing ? EventFlags.Default : EventFlags.DisableTiming));
        Own(created);
    }

    /// <summary>CUevent.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    public nint Handle => OpenHandle;

    /// <summary>Whether the stream has come past the mark; true where there is none yet.</summary>
    /// <exception cref="CudaException">Work before it failed.</exception>
    public bool IsDone
    {
        get
        {
            using CudaContext.Scope scope = Context.Enter();
            CudaResult result = Driver.cuEventQuery(OpenHandle);
            if (result == CudaResult.NotReady) return false;
            Driver.ThrowIfFailed(result, nameof(Driver.cuEventQuery));
            return true;
        }
    }

    /// <summary>Marks the end of the work given to <paramref name="stream"/> so far; an earlier mark is
    /// forgotten.</summary>
    public void Record(CudaStream stream)
    {
        using CudaContext.Scope scope = Context.Enter();
        Driver.ThrowIfFailed(Driver.cuEventRecord(OpenHandle, stream.Handle));
        GC.KeepAlive(stream);
    }

    /// <summary>Waits until the stream has come past the mark.</summary>
    /// <exception cref="CudaException">Work before it failed.</exception>
    public void Synchronize()
    {
        using CudaContext.Scope scope = Context.Enter();
        Driver.ThrowIfFailed(Driver.cuEventSynchronize(OpenHandle));
    }

    /// <summary>The device's time between two marks that both were passed, in milliseconds; steps of about half a
    /// microsecond.</summary>
    /// <param name="start">The earlier mark; both events were made with timing.</param>
    public float MillisecondsSince(CudaEvent start)
    {
        using CudaContext.Scope scope = Context.Enter();
        float milliseconds;
        Driver.ThrowIfFailed(Driver.cuEventElapsedTime(&milliseconds, start.Handle, OpenHandle));
        GC.KeepAlive(start);
        return milliseconds;
    }

    private protected override CudaResult Destroy(nint released) => Driver.cuEventDestroy_v2(released);
}
