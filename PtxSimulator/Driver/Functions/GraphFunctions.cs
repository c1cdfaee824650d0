using System.Runtime.InteropServices;

namespace PtxSimulator.Driver.Functions;

/// <summary>Graphs that come from capture.</summary>
internal static unsafe class GraphFunctions
{
    /// <summary>AUTO_FREE_ON_LAUNCH, UPLOAD, USE_NODE_PRIORITY; not DEVICE_LAUNCH.</summary>
    private const ulong KnownFlags = 1 | 2 | 8;

    public static void AddTo(Dictionary<string, nint> table)
    {
        table[nameof(cuGraphInstantiateWithFlags)] =
            (nint)(delegate* unmanaged<nint*, nint, ulong, int>)&cuGraphInstantiateWithFlags;
        table[nameof(cuGraphGetNodes)] = (nint)(delegate* unmanaged<nint, nint*, nuint*, int>)&cuGraphGetNodes;
        table[nameof(cuGraphLaunch)] = (nint)(delegate* unmanaged<nint, nint, int>)&cuGraphLaunch;
        table[nameof(cuGraphUpload)] = (nint)(delegate* unmanaged<nint, nint, int>)&cuGraphUpload;
        table[nameof(cuGraphExecUpdate_v2)] =
            (nint)(delegate* unmanaged<nint, nint, GraphUpdateInformation*, int>)&cuGraphExecUpdate_v2;
        table[nameof(cuGraphExecDestroy)] = (nint)(delegate* unmanaged<nint, int>)&cuGraphExecDestroy;
        table[nameof(cuGraphDestroy)] = (nint)(delegate* unmanaged<nint, int>)&cuGraphDestroy;
        table[nameof(cuGraphDebugDotPrint)] = (nint)(delegate* unmanaged<nint, byte*, uint, int>)&cuGraphDebugDotPrint;
    }

    [UnmanagedCallersOnly(EntryPoint = nameof(cuGraphInstantiateWithFlags))]
    private static int cuGraphInstantiateWithFlags(
        nint* executable, nint graph, ulong flags) => OnGraph(graph, captured =>
    {
        Boundary.RequireNotNull((nint)executable, nameof(executable));
        if ((flags & ~KnownFlags) != 0)
            throw new DriverException(DriverError.InvalidValue, $"flags 0x{flags:x} are unknown or not simulated.");
        var result = new ExecutableGraph(captured);
        captured.Context.Own(result, "executable graph");
        *executable = Handles.ExecutableGraphs.Add(result);
    });

    /// <summary>The number of nodes; single nodes have no handles.</summary>
    [UnmanagedCallersOnly(EntryPoint = nameof(cuGraphGetNodes))]
    private static int cuGraphGetNodes(nint graph, nint* nodes, nuint* count) => OnGraph(graph, captured =>
    {
        Boundary.RequireNotNull((nint)count, nameof(count));
        if (nodes != null) throw new DriverException(DriverError.NotSupported, "handles of nodes are not simulated.");
        *count = (nuint)captured.Nodes.Count;
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuGraphLaunch))]
    private static int cuGraphLaunch(nint executable, nint stream) => Boundary.OnStream(stream, ordered =>
    {
        ExecutableGraph launched = Of(executable, ordered);
        Capture.RequireNotCaptured(ordered, "launching a graph (as a node of another: not simulated)");
        ordered.Add(launched.Launch());
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuGraphUpload))]
    private static int cuGraphUpload(nint executable, nint stream) =>
        Boundary.OnStream(stream, ordered => Of(executable, ordered));

    /// <summary>Succeeds only for a graph of the same form: the same kinds of nodes with the same
    /// dependencies.</summary>
    [UnmanagedCallersOnly(EntryPoint = nameof(cuGraphExecUpdate_v2))]
    private static int cuGraphExecUpdate_v2(nint executable, nint graph, GraphUpdateInformation* information) =>
        OnGraph(graph, captured =>
        {
            ExecutableGraph updated = Handles.ExecutableGraphs.Get(executable);
            if (updated.Context != captured.Context)
                throw new DriverException(DriverError.InvalidValue, "the graphs are of different contexts.");
            GraphUpdateResult result = updated.Update(captured);
            if (information != null) *information = new GraphUpdateInformation { Result = (int)result };
            if (result == GraphUpdateResult.Success) return;
            throw new DriverException(DriverError.GraphExecUpdateFailure,
                $"{result}: the graph has {captured.Nodes.Count} nodes; instantiate it instead.");
        });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuGraphExecDestroy))]
    private static int cuGraphExecDestroy(nint executable) => Boundary.Call(() =>
    {
        ExecutableGraph ending = Handles.ExecutableGraphs.Get(executable);
        lock (ending.Context.Device.Lock) ending.Context.Disown(ending);
        Handles.ExecutableGraphs.Remove(executable);
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuGraphDestroy))]
    private static int cuGraphDestroy(nint graph) => Boundary.Call(() =>
    {
        CapturedGraph ending = Handles.Graphs.Get(graph);
        lock (ending.Context.Device.Lock) ending.Context.Disown(ending);
        Handles.Graphs.Remove(graph);
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuGraphDebugDotPrint))]
    private static int cuGraphDebugDotPrint(nint graph, byte* path, uint flags) => OnGraph(graph, captured =>
    {
        Boundary.RequireNotNull((nint)path, nameof(path));
        File.WriteAllText(Marshal.PtrToStringUTF8((nint)path)!, captured.Dot());
    });

    private static int OnGraph(nint handle, Action<CapturedGraph> body) => Boundary.Call(() =>
    {
        CapturedGraph graph = Handles.Graphs.Get(handle);
        lock (graph.Context.Device.Lock)
        {
            graph.Context.RequireUsable();
            body(graph);
        }
    });

    private static ExecutableGraph Of(nint handle, DriverStream stream)
    {
        ExecutableGraph graph = Handles.ExecutableGraphs.Get(handle);
        return graph.Context == stream.Context
            ? graph
            : throw new DriverException(DriverError.InvalidHandle, "graph and stream are of different contexts.");
    }

    /// <summary>CUgraphExecUpdateResultInfo.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct GraphUpdateInformation
    {
        public int Result;
        public nint Node, OldNode;
    }
}
