using EfficientAD.Native.Driver;

namespace EfficientAD.Native;

public sealed unsafe partial class CudaStream
{
    /// <summary>Whether work is recorded instead of done.</summary>
    public bool IsCapturing
    {
        get
        {
            using CudaContext.Scope scope = Context.Enter();
            CaptureStatus status;
            Driver.ThrowIfFailed(Driver.cuStreamIsCapturing(OpenHandle, &status));
            return status != CaptureStatus.None;
        }
    }

    /// <summary>Records work into a graph instead of doing it. Until <see cref="EndCapture"/>, which belongs on the
    /// same thread, nothing may wait for the stream, and no device memory may be allocated or freed on it.</summary>
    public void BeginCapture()
    {
        using CudaContext.Scope scope = Context.Enter();
        Driver.ThrowIfFailed(Driver.cuStreamBeginCapture_v2(OpenHandle, CaptureMode.ThreadLocal));
    }

    /// <summary>Ends the recording.</summary>
    /// <returns>What was recorded, ready to launch. Addresses and arguments are those of the time of
    /// recording.</returns>
    /// <exception cref="CudaException">Something in between was not allowed, or the driver is older than CUDA
    /// 11.4.</exception>
    public CudaGraph EndCapture()
    {
        using CudaContext.Scope scope = Context.Enter();
        nint graph;
        Driver.ThrowIfFailed(Driver.cuStreamEndCapture(OpenHandle, &graph));
        try
        {
            return new CudaGraph(Context, graph);
        }
        finally
        {
            Driver.cuGraphDestroy(graph);
        }
    }

    /// <summary>Records what <paramref name="work"/> gives to this stream. When it throws, the recording is dropped and
    /// the stream works as before.</summary>
    public CudaGraph Capture(Action work)
    {
        BeginCapture();
        try
        {
            work();
        }
        catch
        {
            AbandonCapture();
            throw;
        }
        return EndCapture();
    }

    private void AbandonCapture()
    {
        using CudaContext.Scope scope = Context.Enter();
        nint graph;
        if (Driver.cuStreamEndCapture(OpenHandle, &graph) == CudaResult.Success) Driver.cuGraphDestroy(graph);
    }
}
