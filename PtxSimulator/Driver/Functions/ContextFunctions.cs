using System.Runtime.InteropServices;

namespace PtxSimulator.Driver.Functions;

/// <summary>Primary contexts, contexts that the program creates, and which one is current.</summary>
internal static unsafe class ContextFunctions
{
    private const uint KnownFlags = 0x3F;

    public static void AddTo(Dictionary<string, nint> table)
    {
        table[nameof(cuDevicePrimaryCtxRetain)] = (nint)(delegate* unmanaged<nint*, int, int>)&cuDevicePrimaryCtxRetain;
        table[nameof(cuDevicePrimaryCtxRelease_v2)] =
            (nint)(delegate* unmanaged<int, int>)&cuDevicePrimaryCtxRelease_v2;
        table[nameof(cuDevicePrimaryCtxSetFlags_v2)] =
            (nint)(delegate* unmanaged<int, uint, int>)&cuDevicePrimaryCtxSetFlags_v2;
        table[nameof(cuDevicePrimaryCtxGetState)] =
            (nint)(delegate* unmanaged<int, uint*, int*, int>)&cuDevicePrimaryCtxGetState;
        table[nameof(cuCtxCreate_v2)] = (nint)(delegate* unmanaged<nint*, uint, int, int>)&cuCtxCreate_v2;
        table[nameof(cuCtxDestroy_v2)] = (nint)(delegate* unmanaged<nint, int>)&cuCtxDestroy_v2;
        table[nameof(cuCtxPushCurrent_v2)] = (nint)(delegate* unmanaged<nint, int>)&cuCtxPushCurrent_v2;
        table[nameof(cuCtxPopCurrent_v2)] = (nint)(delegate* unmanaged<nint*, int>)&cuCtxPopCurrent_v2;
        table[nameof(cuCtxSetCurrent)] = (nint)(delegate* unmanaged<nint, int>)&cuCtxSetCurrent;
        table[nameof(cuCtxGetCurrent)] = (nint)(delegate* unmanaged<nint*, int>)&cuCtxGetCurrent;
        table[nameof(cuCtxGetDevice)] = (nint)(delegate* unmanaged<int*, int>)&cuCtxGetDevice;
        table[nameof(cuCtxSynchronize)] = (nint)(delegate* unmanaged<int>)&cuCtxSynchronize;
    }

    [UnmanagedCallersOnly(EntryPoint = nameof(cuDevicePrimaryCtxRetain))]
    private static int cuDevicePrimaryCtxRetain(nint* context, int device) => Boundary.Call(() =>
    {
        Boundary.RequireNotNull((nint)context, nameof(context));
        DriverDevice owner = SimulatedDriver.Device(device);
        lock (owner.Lock) *context = owner.RetainPrimary();
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuDevicePrimaryCtxRelease_v2))]
    private static int cuDevicePrimaryCtxRelease_v2(int device) => Boundary.Call(() =>
    {
        DriverDevice owner = SimulatedDriver.Device(device);
        lock (owner.Lock) owner.ReleasePrimary();
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuDevicePrimaryCtxSetFlags_v2))]
    private static int cuDevicePrimaryCtxSetFlags_v2(int device, uint flags) => Boundary.Call(() =>
    {
        SimulatedDriver.Device(device);
        RequireFlags(flags);
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuDevicePrimaryCtxGetState))]
    private static int cuDevicePrimaryCtxGetState(int device, uint* flags, int* active) => Boundary.Call(() =>
    {
        DriverDevice owner = SimulatedDriver.Device(device);
        lock (owner.Lock)
        {
            if (flags != null) *flags = 0;
            if (active != null) *active = owner.IsPrimaryActive ? 1 : 0;
        }
    });

    /// <summary>Makes a context and makes it current.</summary>
    [UnmanagedCallersOnly(EntryPoint = nameof(cuCtxCreate_v2))]
    private static int cuCtxCreate_v2(nint* context, uint flags, int device) => Boundary.Call(() =>
    {
        Boundary.RequireNotNull((nint)context, nameof(context));
        RequireFlags(flags);
        DriverDevice owner = SimulatedDriver.Device(device);
        lock (owner.Lock) *context = owner.CreateContext(isPrimary: false);
        CurrentContext.Push(*context);
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuCtxDestroy_v2))]
    private static int cuCtxDestroy_v2(nint context) => Boundary.Call(() =>
    {
        DriverContext ending = Handles.Contexts.Get(context);
        if (ending.IsPrimary)
            throw new DriverException(DriverError.InvalidContext, "a primary context is released, not destroyed.");
        lock (ending.Device.Lock) ending.Device.DestroyContext(context);
        if (CurrentContext.Handle == context) CurrentContext.Pop();
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuCtxPushCurrent_v2))]
    private static int cuCtxPushCurrent_v2(nint context) => Boundary.Call(() => CurrentContext.Push(context));

    [UnmanagedCallersOnly(EntryPoint = nameof(cuCtxPopCurrent_v2))]
    private static int cuCtxPopCurrent_v2(nint* context) => Boundary.Call(() =>
    {
        nint popped = CurrentContext.Pop();
        if (context != null) *context = popped;
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuCtxSetCurrent))]
    private static int cuCtxSetCurrent(nint context) => Boundary.Call(() => CurrentContext.Set(context));

    [UnmanagedCallersOnly(EntryPoint = nameof(cuCtxGetCurrent))]
    private static int cuCtxGetCurrent(nint* context) => Boundary.Call(() =>
    {
        Boundary.RequireNotNull((nint)context, nameof(context));
        *context = CurrentContext.Handle;
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuCtxGetDevice))]
    private static int cuCtxGetDevice(int* device) => Boundary.Call(() =>
    {
        Boundary.RequireNotNull((nint)device, nameof(device));
        *device = CurrentContext.Require().Device.Ordinal;
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuCtxSynchronize))]
    private static int cuCtxSynchronize() => Boundary.InContext(static context =>
    {
        if (context.Captures.Count > 0)
            Capture.RequireNotCaptured(context.Captures[0].Origin, nameof(cuCtxSynchronize));
        context.Synchronize();
    });

    private static void RequireFlags(uint flags)
    {
        if ((flags & ~KnownFlags) != 0)
            throw new DriverException(DriverError.InvalidValue, $"unknown flags 0x{flags:x}.");
    }
}
