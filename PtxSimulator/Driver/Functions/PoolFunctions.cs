using System.Runtime.InteropServices;

namespace PtxSimulator.Driver.Functions;

/// <summary>Stream-ordered allocation.</summary>
internal static unsafe class PoolFunctions
{
    /// <summary>CUmemPoolProps: allocation type, handle type, then the location's type and number, as 32-bit
    /// words.</summary>
    private const int LocationType = 2, LocationDevice = 3, OnDevice = 1;

    public static void AddTo(Dictionary<string, nint> table)
    {
        table[nameof(cuDeviceGetDefaultMemPool)] =
            (nint)(delegate* unmanaged<nint*, int, int>)&cuDeviceGetDefaultMemPool;
        table[nameof(cuDeviceGetMemPool)] = (nint)(delegate* unmanaged<nint*, int, int>)&cuDeviceGetMemPool;
        table[nameof(cuMemPoolCreate)] = (nint)(delegate* unmanaged<nint*, int*, int>)&cuMemPoolCreate;
        table[nameof(cuMemPoolDestroy)] = (nint)(delegate* unmanaged<nint, int>)&cuMemPoolDestroy;
        table[nameof(cuMemPoolSetAttribute)] = (nint)(delegate* unmanaged<nint, int, void*, int>)&cuMemPoolSetAttribute;
        table[nameof(cuMemPoolGetAttribute)] = (nint)(delegate* unmanaged<nint, int, void*, int>)&cuMemPoolGetAttribute;
        table[nameof(cuMemPoolTrimTo)] = (nint)(delegate* unmanaged<nint, nuint, int>)&cuMemPoolTrimTo;
        table[nameof(cuMemAllocAsync)] = (nint)(delegate* unmanaged<ulong*, nuint, nint, int>)&cuMemAllocAsync;
        table[nameof(cuMemAllocFromPoolAsync)] =
            (nint)(delegate* unmanaged<ulong*, nuint, nint, nint, int>)&cuMemAllocFromPoolAsync;
        table[nameof(cuMemFreeAsync)] = (nint)(delegate* unmanaged<ulong, nint, int>)&cuMemFreeAsync;
    }

    [UnmanagedCallersOnly(EntryPoint = nameof(cuDeviceGetDefaultMemPool))]
    private static int cuDeviceGetDefaultMemPool(nint* pool, int device) => Boundary.Call(() =>
    {
        Boundary.RequireNotNull((nint)pool, nameof(pool));
        *pool = SimulatedDriver.Device(device).DefaultPool;
    });

    /// <summary>The current pool; nobody can choose another.</summary>
    [UnmanagedCallersOnly(EntryPoint = nameof(cuDeviceGetMemPool))]
    private static int cuDeviceGetMemPool(nint* pool, int device) => Boundary.Call(() =>
    {
        Boundary.RequireNotNull((nint)pool, nameof(pool));
        *pool = SimulatedDriver.Device(device).DefaultPool;
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuMemPoolCreate))]
    private static int cuMemPoolCreate(nint* pool, int* properties) => Boundary.Call(() =>
    {
        Boundary.RequireNotNull((nint)pool, nameof(pool));
        Boundary.RequireNotNull((nint)properties, nameof(properties));
        if (properties[0] != 1 || properties[LocationType] != OnDevice)
            throw new DriverException(DriverError.InvalidValue, "a pool must hold pinned memory of a device.");
        *pool = Handles.Pools.Add(new MemoryPool(SimulatedDriver.Device(properties[LocationDevice])));
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuMemPoolDestroy))]
    private static int cuMemPoolDestroy(nint pool) => Boundary.Call(() =>
    {
        if (pool == Handles.Pools.Get(pool).Device.DefaultPool)
            throw new DriverException(DriverError.InvalidValue, "the default pool cannot be destroyed.");
        Handles.Pools.Remove(pool);
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuMemPoolSetAttribute))]
    private static int cuMemPoolSetAttribute(nint pool, int attribute, void* value) => Boundary.Call(() =>
    {
        Boundary.RequireNotNull((nint)value, nameof(value));
        Handles.Pools.Get(pool)[attribute] = MemoryPool.IsWide(attribute) ? *(ulong*)value : *(uint*)value;
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuMemPoolGetAttribute))]
    private static int cuMemPoolGetAttribute(nint pool, int attribute, void* value) => Boundary.Call(() =>
    {
        Boundary.RequireNotNull((nint)value, nameof(value));
        ulong word = Handles.Pools.Get(pool)[attribute];
        if (MemoryPool.IsWide(attribute)) *(ulong*)value = word;
        else *(uint*)value = (uint)word;
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuMemPoolTrimTo))]
    private static int cuMemPoolTrimTo(nint pool, nuint bytes) => Boundary.Call(() => Handles.Pools.Get(pool));

    [UnmanagedCallersOnly(EntryPoint = nameof(cuMemAllocAsync))]
    private static int cuMemAllocAsync(ulong* address, nuint bytes, nint stream) =>
        Boundary.OnStream(
            stream, ordered => *address = Allocate(ordered, (nint)address, bytes, nameof(cuMemAllocAsync)));

    [UnmanagedCallersOnly(EntryPoint = nameof(cuMemAllocFromPoolAsync))]
    private static int cuMemAllocFromPoolAsync(ulong* address, nuint bytes, nint pool, nint stream) =>
        Boundary.OnStream(stream, ordered =>
        {
            if (Handles.Pools.Get(pool).Device != ordered.Context.Device)
            {
                throw new DriverException(
                    DriverError.InvalidValue, "the pool belongs to another device than the stream.");
            }

            *address = Allocate(ordered, (nint)address, bytes, nameof(cuMemAllocFromPoolAsync));
        });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuMemFreeAsync))]
    private static int cuMemFreeAsync(ulong address, nint stream) => Boundary.OnStream(stream, ordered =>
    {
        RequireUncaptured(ordered);
        DriverContext context = ordered.Context;
        DeviceAllocation allocation = context.Allocations.Get(address);
        allocation.IsFreed = true;
        ordered.Add(new Work(WorkKind.Free, $"free of {allocation.Label}", () => context.Free(allocation)));
    });

    private static ulong Allocate(DriverStream stream, nint result, nuint bytes, string function)
    {
        Boundary.RequireNotNull(result, "the result");
        RequireUncaptured(stream);
        return stream.Context.Allocate(bytes, function, isStreamOrdered: true);
    }

    /// <summary>Graphs with memory of their own are not simulated.</summary>
    private static void RequireUncaptured(DriverStream stream) =>
        Capture.RequireNotCaptured(stream, "stream-ordered allocation (not simulated in graphs)");
}
