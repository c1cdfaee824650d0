using EfficientAD.Native.Driver;

namespace EfficientAD.Native;

/// <summary>Recorded work that one call gives to a stream: <see cref="CudaStream.EndCapture"/>.</summary>
/// <remarks>It holds addresses, not memory: what the recorded work reads and writes must outlive it, and so must its
/// kernels' modules.</remarks>
public sealed unsafe class CudaGraph : CudaHandle
{
    /// <param name="graph">CUgraph; it is only read.</param>
    internal CudaGraph(CudaContext context, nint graph) : base(context, ownsHandle: true)
    {
        if (!Driver.HasGraphs)
        {
            throw new CudaException(
                $"Graphs need a driver for CUDA 11.4 or newer; this one is for {CudaDevices.VersionOf(Driver)}. " +
                "Update it, or work without graphs.");
        }
        nint executable;
        Driver.ThrowIfFailed(Driver.cuGraphInstantiateWithFlags(&executable, graph, 0));
        Own(executable);
    }

    /// <summary>Gives the recorded work to a stream. One graph runs once at a time: a second launch waits for the
    /// first.</summary>
    public void Launch(CudaStream stream)
    {
        using CudaContext.Scope scope = Context.Enter();
        Driver.ThrowIfFailed(Driver.cuGraphLaunch(OpenHandle, stream.Handle));
        GC.KeepAlive(stream);
    }

    private protected override CudaResult Destroy(nint released) => Driver.cuGraphExecDestroy(released);
}
