using System.Runtime.InteropServices;
using System.Text;

namespace PtxSimulator.Driver.Functions;

/// <summary>Errors, initialisation, version and devices.</summary>
internal static unsafe class DeviceFunctions
{
    public static void AddTo(Dictionary<string, nint> table)
    {
        table[nameof(cuGetErrorName)] = (nint)(delegate* unmanaged<int, byte**, int>)&cuGetErrorName;
        table[nameof(cuGetErrorString)] = (nint)(delegate* unmanaged<int, byte**, int>)&cuGetErrorString;
        table[nameof(cuInit)] = (nint)(delegate* unmanaged<uint, int>)&cuInit;
        table[nameof(cuDriverGetVersion)] = (nint)(delegate* unmanaged<int*, int>)&cuDriverGetVersion;
        table[nameof(cuDeviceGet)] = (nint)(delegate* unmanaged<int*, int, int>)&cuDeviceGet;
        table[nameof(cuDeviceGetCount)] = (nint)(delegate* unmanaged<int*, int>)&cuDeviceGetCount;
        table[nameof(cuDeviceGetName)] = (nint)(delegate* unmanaged<byte*, int, int, int>)&cuDeviceGetName;
        table[nameof(cuDeviceGetUuid_v2)] = (nint)(delegate* unmanaged<byte*, int, int>)&cuDeviceGetUuid_v2;
        table[nameof(cuDeviceTotalMem_v2)] = (nint)(delegate* unmanaged<nuint*, int, int>)&cuDeviceTotalMem_v2;
        table[nameof(cuDeviceGetAttribute)] = (nint)(delegate* unmanaged<int*, int, int, int>)&cuDeviceGetAttribute;
        table[nameof(cuProfilerStart)] = (nint)(delegate* unmanaged<int>)&cuProfilerStart;
        table[nameof(cuProfilerStop)] = (nint)(delegate* unmanaged<int>)&cuProfilerStop;
    }

    [UnmanagedCallersOnly(EntryPoint = nameof(cuGetErrorName))]
    private static int cuGetErrorName(int error, byte** name) => Boundary.CallUninitialized(() =>
    {
        *name = (byte*)ErrorTexts.Name((DriverError)error);
        RequireKnown(*name, error);
    });

    /// <summary>The driver's sentence and, if this was the thread's last failure, what the simulator knows of
    /// it.</summary>
    [UnmanagedCallersOnly(EntryPoint = nameof(cuGetErrorString))]
    private static int cuGetErrorString(int error, byte** text) => Boundary.CallUninitialized(() =>
    {
        *text = (byte*)ErrorTexts.Sentence((DriverError)error, Boundary.Diagnosis((DriverError)error));
        RequireKnown(*text, error);
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuInit))]
    private static int cuInit(uint flags) => Boundary.CallUninitialized(() =>
    {
        if (flags != 0) throw new DriverException(DriverError.InvalidValue, $"flags {flags}; they must be 0.");
        if (EnvironmentOptions.Current.Error is { } error) throw new DriverException(DriverError.InvalidValue, error);
        Boundary.Initialize();
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuDriverGetVersion))]
    private static int cuDriverGetVersion(int* version) => Boundary.CallUninitialized(() =>
    {
        Boundary.RequireNotNull((nint)version, nameof(version));
        *version = SimulatedDriver.Version;
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuDeviceGet))]
    private static int cuDeviceGet(int* device, int ordinal) => Boundary.Call(() =>
    {
        Boundary.RequireNotNull((nint)device, nameof(device));
        *device = SimulatedDriver.Device(ordinal).Ordinal;
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuDeviceGetCount))]
    private static int cuDeviceGetCount(int* count) => Boundary.Call(() =>
    {
        Boundary.RequireNotNull((nint)count, nameof(count));
        *count = SimulatedDriver.DeviceCount;
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuDeviceGetName))]
    private static int cuDeviceGetName(byte* name, int length, int device) => Boundary.Call(() =>
    {
        Boundary.RequireNotNull((nint)name, nameof(name));
        if (length < 1) throw new DriverException(DriverError.InvalidValue, $"a name of {length} bytes.");
        int capability = SimulatedDriver.Device(device).Options.ComputeCapability;
        byte[] text = Encoding.UTF8.GetBytes($"PTX simulator (compute capability {capability / 10}.{capability % 10})");
        int kept = Math.Min(text.Length, length - 1);
        text.AsSpan(0, kept).CopyTo(new Span<byte>(name, kept));
        name[kept] = 0;
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuDeviceGetUuid_v2))]
    private static int cuDeviceGetUuid_v2(byte* uuid, int device) => Boundary.Call(() =>
    {
        Boundary.RequireNotNull((nint)uuid, nameof(uuid));
        byte[] text = Encoding.ASCII.GetBytes($"PTXSIM{SimulatedDriver.Device(device).Ordinal:D10}");
        text.CopyTo(new Span<byte>(uuid, text.Length));
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuDeviceTotalMem_v2))]
    private static int cuDeviceTotalMem_v2(nuint* bytes, int device) => Boundary.Call(() =>
    {
        Boundary.RequireNotNull((nint)bytes, nameof(bytes));
        *bytes = (nuint)SimulatedDriver.Device(device).Options.MemoryBytes;
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuDeviceGetAttribute))]
    private static int cuDeviceGetAttribute(int* value, int attribute, int device) => Boundary.Call(() =>
    {
        Boundary.RequireNotNull((nint)value, nameof(value));
        *value = DeviceAttributes.Of(SimulatedDriver.Device(device), attribute)
            ?? throw new DriverException(DriverError.InvalidValue, $"device attribute {attribute} is not simulated.");
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuProfilerStart))]
    private static int cuProfilerStart() => Boundary.InContext(static _ => { });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuProfilerStop))]
    private static int cuProfilerStop() => Boundary.InContext(static _ => { });

    private static void RequireKnown(byte* text, int error)
    {
        // Not remembered as a failure: the program is about to ask for the next text of the same error.
        if (text == null) throw new DriverException(DriverError.InvalidValue, $"{error} is no error.");
    }
}
