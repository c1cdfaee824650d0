using System.Runtime.InteropServices;

namespace PtxSimulator.Driver.Functions;

/// <summary>Copies and fills. The synchronous ones keep order with blocking streams alone: with non-blocking streams
/// the program must synchronise, or it reads what is there.</summary>
internal static unsafe class CopyFunctions
{
    public static void AddTo(Dictionary<string, nint> table)
    {
        table[nameof(cuMemcpyHtoD_v2)] = (nint)(delegate* unmanaged<ulong, nint, nuint, int>)&cuMemcpyHtoD_v2;
        table[nameof(cuMemcpyDtoH_v2)] = (nint)(delegate* unmanaged<nint, ulong, nuint, int>)&cuMemcpyDtoH_v2;
        table[nameof(cuMemcpyDtoD_v2)] = (nint)(delegate* unmanaged<ulong, ulong, nuint, int>)&cuMemcpyDtoD_v2;
        table[nameof(cuMemcpyHtoDAsync_v2)] =
            (nint)(delegate* unmanaged<ulong, nint, nuint, nint, int>)&cuMemcpyHtoDAsync_v2;
        table[nameof(cuMemcpyDtoHAsync_v2)] =
            (nint)(delegate* unmanaged<nint, ulong, nuint, nint, int>)&cuMemcpyDtoHAsync_v2;
        table[nameof(cuMemcpyDtoDAsync_v2)] =
            (nint)(delegate* unmanaged<ulong, ulong, nuint, nint, int>)&cuMemcpyDtoDAsync_v2;
        table[nameof(cuMemsetD8_v2)] = (nint)(delegate* unmanaged<ulong, byte, nuint, int>)&cuMemsetD8_v2;
        table[nameof(cuMemsetD32_v2)] = (nint)(delegate* unmanaged<ulong, uint, nuint, int>)&cuMemsetD32_v2;
        table[nameof(cuMemsetD8Async)] = (nint)(delegate* unmanaged<ulong, byte, nuint, nint, int>)&cuMemsetD8Async;
        table[nameof(cuMemsetD32Async)] = (nint)(delegate* unmanaged<ulong, uint, nuint, nint, int>)&cuMemsetD32Async;
    }

    [UnmanagedCallersOnly(EntryPoint = nameof(cuMemcpyHtoD_v2))]
    private static int cuMemcpyHtoD_v2(ulong destination, nint source, nuint bytes) => Boundary.InContext(context =>
        RunNow(context, Transfers.FromHost(context, destination, source, checked((long)bytes))));

    [UnmanagedCallersOnly(EntryPoint = nameof(cuMemcpyDtoH_v2))]
    private static int cuMemcpyDtoH_v2(nint destination, ulong source, nuint bytes) => Boundary.InContext(context =>
        RunNow(context, Transfers.ToHost(context, destination, source, checked((long)bytes))));

    [UnmanagedCallersOnly(EntryPoint = nameof(cuMemcpyDtoD_v2))]
    private static int cuMemcpyDtoD_v2(ulong destination, ulong source, nuint bytes) => Boundary.InContext(context =>
        context.LegacyStream.Add(Transfers.OnDevice(context, destination, source, checked((long)bytes))));

    /// <summary>From ordinary memory: the values are those of now. From pinned memory: those of when its turn comes.
    /// </summary>
    [UnmanagedCallersOnly(EntryPoint = nameof(cuMemcpyHtoDAsync_v2))]
    private static int cuMemcpyHtoDAsync_v2(ulong destination, nint source, nuint bytes, nint stream) =>
        Boundary.OnStream(stream, ordered =>
        {
            RequirePinnedIfCaptured(ordered, source, bytes);
            ordered.Add(Transfers.FromHost(ordered.Context, destination, source, checked((long)bytes)));
        });

    /// <summary>To ordinary memory it returns when the copy is done, as drivers do.</summary>
    [UnmanagedCallersOnly(EntryPoint = nameof(cuMemcpyDtoHAsync_v2))]
    private static int cuMemcpyDtoHAsync_v2(nint destination, ulong source, nuint bytes, nint stream) =>
        Boundary.OnStream(stream, ordered =>
        {
            RequirePinnedIfCaptured(ordered, destination, bytes);
            ordered.Add(Transfers.ToHost(ordered.Context, destination, source, checked((long)bytes)));
            if (PinnedMemory.Find(destination, (long)bytes) is null) ordered.Synchronize();
        });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuMemcpyDtoDAsync_v2))]
    private static int cuMemcpyDtoDAsync_v2(ulong destination, ulong source, nuint bytes, nint stream) =>
        Boundary.OnStream(stream, ordered =>
            ordered.Add(Transfers.OnDevice(ordered.Context, destination, source, checked((long)bytes))));

    [UnmanagedCallersOnly(EntryPoint = nameof(cuMemsetD8_v2))]
    private static int cuMemsetD8_v2(ulong destination, byte value, nuint count) => Boundary.InContext(context =>
        context.LegacyStream.Add(Transfers.Fill(context, destination, value, checked((long)count))));

    [UnmanagedCallersOnly(EntryPoint = nameof(cuMemsetD32_v2))]
    private static int cuMemsetD32_v2(ulong destination, uint value, nuint count) => Boundary.InContext(context =>
        context.LegacyStream.Add(Transfers.Fill(context, destination, value, checked((long)count))));

    [UnmanagedCallersOnly(EntryPoint = nameof(cuMemsetD8Async))]
    private static int cuMemsetD8Async(ulong destination, byte value, nuint count, nint stream) =>
        Boundary.OnStream(stream, ordered =>
            ordered.Add(Transfers.Fill(ordered.Context, destination, value, checked((long)count))));

    [UnmanagedCallersOnly(EntryPoint = nameof(cuMemsetD32Async))]
    private static int cuMemsetD32Async(ulong destination, uint value, nuint count, nint stream) =>
        Boundary.OnStream(stream, ordered =>
            ordered.Add(Transfers.Fill(ordered.Context, destination, value, checked((long)count))));

    private static void RunNow(DriverContext context, Work work)
    {
        context.SynchronizeBlocking();
        context.Run(work);
    }

    /// <summary>A graph that reads or writes ordinary memory would do so at every launch, wherever that memory is then.
    /// </summary>
    private static void RequirePinnedIfCaptured(DriverStream stream, nint pointer, nuint bytes)
    {
        if (stream.Capture is not null && PinnedMemory.Find(pointer, (long)bytes) is null)
            Capture.RequireNotCaptured(stream, "a copy between the device and memory that is not pinned, on behalf");
    }
}
