using System.Runtime.InteropServices;

namespace PtxSimulator.Driver.Functions;

/// <summary>Streams and their capture.</summary>
internal static unsafe class StreamFunctions
{
    private const uint NonBlocking = 1;
    private const int None = 0, Active = 1, Invalidated = 2;

    public static void AddTo(Dictionary<string, nint> table)
    {
        table[nameof(cuStreamCreate)] = (nint)(delegate* unmanaged<nint*, uint, int>)&cuStreamCreate;
        table[nameof(cuStreamCreateWithPriority)] =
            (nint)(delegate* unmanaged<nint*, uint, int, int>)&cuStreamCreateWithPriority;
        table[nameof(cuStreamGetCtx)] = (nint)(delegate* unmanaged<nint, nint*, int>)&cuStreamGetCtx;
        table[nameof(cuStreamWaitEvent)] = (nint)(delegate* unmanaged<nint, nint, uint, int>)&cuStreamWaitEvent;
        table[nameof(cuStreamBeginCapture_v2)] = (nint)(delegate* unmanaged<nint, int, int>)&cuStreamBeginCapture_v2;
        table[nameof(cuThreadExchangeStreamCaptureMode)] =
            (nint)(delegate* unmanaged<int*, int>)&cuThreadExchangeStreamCaptureMode;
        table[nameof(cuStreamEndCapture)] = (nint)(delegate* unmanaged<nint, nint*, int>)&cuStreamEndCapture;
        table[nameof(cuStreamIsCapturing)] = (nint)(delegate* unmanaged<nint, int*, int>)&cuStreamIsCapturing;
        table[nameof(cuStreamGetCaptureInfo_v2)] =
            (nint)(delegate* unmanaged<nint, int*, ulong*, nint*, nint**, nuint*, int>)&cuStreamGetCaptureInfo_v2;
        table[nameof(cuStreamQuery)] = (nint)(delegate* unmanaged<nint, int>)&cuStreamQuery;
        table[nameof(cuStreamSynchronize)] = (nint)(delegate* unmanaged<nint, int>)&cuStreamSynchronize;
        table[nameof(cuStreamDestroy_v2)] = (nint)(delegate* unmanaged<nint, int>)&cuStreamDestroy_v2;
    }

    [UnmanagedCallersOnly(EntryPoint = nameof(cuStreamCreate))]
    private static int cuStreamCreate(nint* stream, uint flags) => Boundary.InContext(context =>
        Create(context, stream, flags, priority: 0));

    [UnmanagedCallersOnly(EntryPoint = nameof(cuStreamCreateWithPriority))]
    private static int cuStreamCreateWithPriority(nint* stream, uint flags, int priority) =>
        Boundary.InContext(context => Create(context, stream, flags, priority));

    [UnmanagedCallersOnly(EntryPoint = nameof(cuStreamGetCtx))]
    private static int cuStreamGetCtx(nint stream, nint* context) => Boundary.OnStream(stream, known =>
    {
        Boundary.RequireNotNull((nint)context, nameof(context));
        *context = known.Context.Handle;
    });

    /// <summary>Later work of the stream comes after what the event was last recorded after.</summary>
    [UnmanagedCallersOnly(EntryPoint = nameof(cuStreamWaitEvent))]
    private static int cuStreamWaitEvent(nint stream, nint @event, uint flags) => Boundary.Call(() =>
    {
        DriverEvent awaited = Handles.Events.Get(@event);
        DriverStream waiting = Boundary.Stream(stream);
        if (awaited.Context.Device != waiting.Context.Device)
        {
            // Work of another device is done at once: one of the orders that the program allows, and no lock of two.
            lock (awaited.Context.Device.Lock) awaited.Position?.Reach();
            return;
        }

        lock (waiting.Context.Device.Lock)
        {
            waiting.Context.RequireUsable();
            awaited.LetWait(waiting);
        }
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuStreamBeginCapture_v2))]
    private static int cuStreamBeginCapture_v2(nint stream, int mode) => Boundary.OnStream(stream, captured =>
        Capture.Begin(captured, Mode(mode)));

    [UnmanagedCallersOnly(EntryPoint = nameof(cuThreadExchangeStreamCaptureMode))]
    private static int cuThreadExchangeStreamCaptureMode(int* mode) => Boundary.Call(() =>
    {
        Boundary.RequireNotNull((nint)mode, nameof(mode));
        CaptureMode old = Capture.ThreadMode;
        Capture.ThreadMode = Mode(*mode);
        *mode = (int)old;
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuStreamEndCapture))]
    private static int cuStreamEndCapture(nint stream, nint* graph) => Boundary.OnStream(stream, captured =>
    {
        Boundary.RequireNotNull((nint)graph, nameof(graph));
        *graph = 0;
        CapturedGraph result = Capture.End(captured);
        captured.Context.Own(result, "graph");
        *graph = Handles.Graphs.Add(result);
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuStreamIsCapturing))]
    private static int cuStreamIsCapturing(nint stream, int* status) => Boundary.OnStream(stream, known =>
    {
        Boundary.RequireNotNull((nint)status, nameof(status));
        *status = Status(known);
    });

    /// <summary>Status and identity; the graph under construction is not handed out.</summary>
    [UnmanagedCallersOnly(EntryPoint = nameof(cuStreamGetCaptureInfo_v2))]
    private static int cuStreamGetCaptureInfo_v2(
        nint stream, int* status, ulong* id, nint* graph, nint** dependencies, nuint* count) =>
        Boundary.OnStream(stream, known =>
        {
            Boundary.RequireNotNull((nint)status, nameof(status));
            *status = Status(known);
            if (id != null) *id = (ulong)(known.Capture?.Identity ?? 0);
            if (graph != null) *graph = 0;
            if (dependencies != null) *dependencies = null;
            if (count != null) *count = 0;
        });

    /// <summary>Each question lets one work be done: who polls gets there, and sees "not ready" before.</summary>
    [UnmanagedCallersOnly(EntryPoint = nameof(cuStreamQuery))]
    private static int cuStreamQuery(nint stream) => Boundary.AskStream(stream, asked =>
    {
        Capture.RequireNotCaptured(asked, nameof(cuStreamQuery));
        return asked.End.Advance();
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuStreamSynchronize))]
    private static int cuStreamSynchronize(nint stream) => Boundary.OnStream(stream, awaited =>
    {
        Capture.RequireNotCaptured(awaited, nameof(cuStreamSynchronize));
        if (awaited.IsLegacy) awaited.Context.SynchronizeBlocking();
        else awaited.Synchronize();
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuStreamDestroy_v2))]
    private static int cuStreamDestroy_v2(nint stream) => Boundary.Call(() =>
    {
        DriverStream ending = Handles.Streams.Get(stream);
        lock (ending.Context.Device.Lock)
        {
            ending.Context.Remove(ending);
            Handles.Streams.Remove(stream);
        }
    });

    private static void Create(DriverContext context, nint* stream, uint flags, int priority)
    {
        Boundary.RequireNotNull((nint)stream, nameof(stream));
        if (flags > NonBlocking) throw new DriverException(DriverError.InvalidValue, $"unknown flags 0x{flags:x}.");
        var created = new DriverStream(context, isBlocking: flags != NonBlocking, priority);
        context.Add(created);
        *stream = Handles.Streams.Add(created);
    }

    private static CaptureMode Mode(int mode) => mode is >= (int)CaptureMode.Global and <= (int)CaptureMode.Relaxed
        ? (CaptureMode)mode
        : throw new DriverException(DriverError.InvalidValue, $"{mode} is no capture mode.");

    private static int Status(DriverStream stream) =>
        stream.Capture is null ? None : stream.Capture.IsInvalidated ? Invalidated : Active;
}
