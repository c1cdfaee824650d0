using System.Runtime.InteropServices;

namespace PtxSimulator.Driver.Functions;

internal static unsafe class EventFunctions
{
    private const uint KnownFlags = 7, DisableTiming = 2;

    private const double NanosecondsPerMillisecond = 1e6;

    public static void AddTo(Dictionary<string, nint> table)
    {
        table[nameof(cuEventCreate)] = (nint)(delegate* unmanaged<nint*, uint, int>)&cuEventCreate;
        table[nameof(cuEventRecord)] = (nint)(delegate* unmanaged<nint, nint, int>)&cuEventRecord;
        table[nameof(cuEventQuery)] = (nint)(delegate* unmanaged<nint, int>)&cuEventQuery;
        table[nameof(cuEventSynchronize)] = (nint)(delegate* unmanaged<nint, int>)&cuEventSynchronize;
        table[nameof(cuEventDestroy_v2)] = (nint)(delegate* unmanaged<nint, int>)&cuEventDestroy_v2;
        table[nameof(cuEventElapsedTime)] = (nint)(delegate* unmanaged<float*, nint, nint, int>)&cuEventElapsedTime;
    }

    [UnmanagedCallersOnly(EntryPoint = nameof(cuEventCreate))]
    private static int cuEventCreate(nint* @event, uint flags) => Boundary.InContext(context =>
    {
        Boundary.RequireNotNull((nint)@event, "event");
        if ((flags & ~KnownFlags) != 0)
            throw new DriverException(DriverError.InvalidValue, $"unknown flags 0x{flags:x}.");
        var created = new DriverEvent(context, hasTiming: (flags & DisableTiming) == 0);
        context.Own(created, "event");
        *@event = Handles.Events.Add(created);
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuEventRecord))]
    private static int cuEventRecord(nint @event, nint stream) => Boundary.OnStream(stream, recorded =>
    {
        DriverEvent marker = Handles.Events.Get(@event);
        if (marker.Context != recorded.Context)
            throw new DriverException(DriverError.InvalidHandle, "event and stream are of different contexts.");
        marker.Record(recorded);
    });

    /// <summary>As with a stream, each question lets one work be done.</summary>
    [UnmanagedCallersOnly(EntryPoint = nameof(cuEventQuery))]
    private static int cuEventQuery(nint @event) => Boundary.OnEvent(@event, asked =>
    {
        asked.RequireNotCaptured();
        Capture.RequireNone(asked.Context, nameof(cuEventQuery));
        return asked.Position?.Advance() ?? DriverError.Success;
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuEventSynchronize))]
    private static int cuEventSynchronize(nint @event) => Boundary.OnEvent(@event, awaited =>
    {
        awaited.RequireNotCaptured();
        Capture.RequireNone(awaited.Context, nameof(cuEventSynchronize));
        awaited.Position?.Reach();
        return DriverError.Success;
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuEventDestroy_v2))]
    private static int cuEventDestroy_v2(nint @event) => Boundary.Call(() =>
    {
        DriverEvent ending = Handles.Events.Get(@event);
        lock (ending.Context.Device.Lock)
        {
            ending.Context.Disown(ending);
            Handles.Events.Remove(@event);
        }
    });

    /// <summary>Milliseconds of the device's simulated clock: in order and above zero, and nothing else.</summary>
    [UnmanagedCallersOnly(EntryPoint = nameof(cuEventElapsedTime))]
    private static int cuEventElapsedTime(float* milliseconds, nint start, nint end) => Boundary.OnEvent(end, last =>
    {
        Boundary.RequireNotNull((nint)milliseconds, nameof(milliseconds));
        DriverEvent first = Handles.Events.Get(start);
        if (first.Context != last.Context || !first.HasTiming || !last.HasTiming)
            throw new DriverException(DriverError.InvalidHandle, "events of two contexts, or created without timing.");
        if (first.Position is not { } from || last.Position is not { } to)
            throw new DriverException(DriverError.InvalidHandle, "an event was never recorded.");
        if (!from.IsReached || !to.IsReached) return DriverError.NotReady;
        *milliseconds = (float)((last.Time - first.Time) / NanosecondsPerMillisecond);
        return DriverError.Success;
    });
}
