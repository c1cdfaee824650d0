using System.Runtime.InteropServices;

namespace PtxSimulator.Driver.Functions;

/// <summary>Device memory and pinned host memory.</summary>
internal static unsafe class MemoryFunctions
{
    private const uint KnownHostFlags = 7, KnownRegisterFlags = 15;

    private enum PointerAttribute
    {
        Context = 1,
        MemoryType = 2,
        DevicePointer = 3,
        HostPointer = 4,
        DeviceOrdinal = 9,
        RangeStart = 11,
        RangeSize = 12,
    }

    public static void AddTo(Dictionary<string, nint> table)
    {
        table[nameof(cuMemGetInfo_v2)] = (nint)(delegate* unmanaged<nuint*, nuint*, int>)&cuMemGetInfo_v2;
        table[nameof(cuMemAlloc_v2)] = (nint)(delegate* unmanaged<ulong*, nuint, int>)&cuMemAlloc_v2;
        table[nameof(cuMemFree_v2)] = (nint)(delegate* unmanaged<ulong, int>)&cuMemFree_v2;
        table[nameof(cuMemAllocHost_v2)] = (nint)(delegate* unmanaged<nint*, nuint, int>)&cuMemAllocHost_v2;
        table[nameof(cuMemFreeHost)] = (nint)(delegate* unmanaged<nint, int>)&cuMemFreeHost;
        table[nameof(cuMemHostAlloc)] = (nint)(delegate* unmanaged<nint*, nuint, uint, int>)&cuMemHostAlloc;
        table[nameof(cuMemHostRegister_v2)] = (nint)(delegate* unmanaged<nint, nuint, uint, int>)&cuMemHostRegister_v2;
        table[nameof(cuMemHostUnregister)] = (nint)(delegate* unmanaged<nint, int>)&cuMemHostUnregister;
        table[nameof(cuPointerGetAttribute)] =
            (nint)(delegate* unmanaged<void*, int, ulong, int>)&cuPointerGetAttribute;
    }

    [UnmanagedCallersOnly(EntryPoint = nameof(cuMemGetInfo_v2))]
    private static int cuMemGetInfo_v2(nuint* free, nuint* total) => Boundary.InContext(context =>
    {
        Boundary.RequireNotNull((nint)free, nameof(free));
        Boundary.RequireNotNull((nint)total, nameof(total));
        *free = (nuint)(context.Memory.Capacity - context.Memory.Used);
        *total = (nuint)context.Memory.Capacity;
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuMemAlloc_v2))]
    private static int cuMemAlloc_v2(ulong* address, nuint bytes) => Boundary.InContext(context =>
    {
        Boundary.RequireNotNull((nint)address, nameof(address));
        Capture.RequireNone(context, nameof(cuMemAlloc_v2));
        *address = context.Allocate(bytes, nameof(cuMemAlloc_v2), isStreamOrdered: false);
    });

    /// <summary>Waits for the whole context first, as drivers do, unless the memory is stream-ordered.</summary>
    [UnmanagedCallersOnly(EntryPoint = nameof(cuMemFree_v2))]
    private static int cuMemFree_v2(ulong address) => Boundary.InContext(context =>
    {
        if (address == 0) return;
        Capture.RequireNone(context, nameof(cuMemFree_v2));
        DeviceAllocation allocation = context.Allocations.Get(address);
        if (!allocation.IsStreamOrdered) context.Synchronize();
        context.Free(allocation);
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuMemAllocHost_v2))]
    private static int cuMemAllocHost_v2(nint* pointer, nuint bytes) =>
        Boundary.InContext(context => AllocateHost(context, pointer, bytes));

    [UnmanagedCallersOnly(EntryPoint = nameof(cuMemFreeHost))]
    private static int cuMemFreeHost(nint pointer) => Boundary.InContext(context =>
    {
        Capture.RequireNone(context, nameof(cuMemFreeHost));
        PinnedMemory.Release(pointer, isOwned: true);
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuMemHostAlloc))]
    private static int cuMemHostAlloc(nint* pointer, nuint bytes, uint flags) => Boundary.InContext(context =>
    {
        RequireFlags(flags, KnownHostFlags);
        AllocateHost(context, pointer, bytes);
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuMemHostRegister_v2))]
    private static int cuMemHostRegister_v2(nint pointer, nuint bytes, uint flags) => Boundary.InContext(context =>
    {
        RequireFlags(flags, KnownRegisterFlags);
        Boundary.RequireNotNull(pointer, nameof(pointer));
        PinnedMemory.Register(pointer, DriverContext.RequireSize(bytes), context);
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuMemHostUnregister))]
    private static int cuMemHostUnregister(nint pointer) =>
        Boundary.InContext(_ => PinnedMemory.Release(pointer, isOwned: false));

    [UnmanagedCallersOnly(EntryPoint = nameof(cuPointerGetAttribute))]
    private static int cuPointerGetAttribute(void* value, int attribute, ulong pointer) => Boundary.InContext(context =>
    {
        const int host = 1, device = 2;
        Boundary.RequireNotNull((nint)value, nameof(value));
        DeviceAllocation? allocation = context.Allocations.Find(pointer);
        PinnedRange? pinned = PinnedMemory.Find((nint)pointer, 1);
        if (allocation is null && pinned is null)
            throw new DriverException(DriverError.InvalidValue, $"0x{pointer:x} is no memory that the driver knows.");
        switch ((PointerAttribute)attribute)
        {
            case PointerAttribute.Context: *(nint*)value = CurrentContext.Handle; break;
            case PointerAttribute.MemoryType: *(int*)value = allocation is null ? host : device; break;
            case PointerAttribute.DeviceOrdinal: *(int*)value = context.Device.Ordinal; break;
            case PointerAttribute.DevicePointer when allocation is not null: *(ulong*)value = pointer; break;
            case PointerAttribute.HostPointer when pinned is not null: *(ulong*)value = pointer; break;
            case PointerAttribute.RangeStart: *(ulong*)value = allocation?.Address ?? (ulong)pinned!.Address; break;
            case PointerAttribute.RangeSize: *(nuint*)value = (nuint)(allocation?.Bytes ?? pinned!.Bytes); break;
            default:
                throw new DriverException(DriverError.InvalidValue,
                    $"pointer attribute {attribute} of 0x{pointer:x} is not simulated.");
        }
    });

    private static void AllocateHost(DriverContext context, nint* pointer, nuint bytes)
    {
        Boundary.RequireNotNull((nint)pointer, nameof(pointer));
        Capture.RequireNone(context, nameof(cuMemHostAlloc));
        *pointer = PinnedMemory.Allocate(DriverContext.RequireSize(bytes), context);
    }

    private static void RequireFlags(uint flags, uint known)
    {
        if ((flags & ~known) != 0) throw new DriverException(DriverError.InvalidValue, $"unknown flags 0x{flags:x}.");
    }
}
