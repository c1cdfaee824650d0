using PtxSimulator.Driver.Functions;
using PtxSimulator.Reports;

namespace PtxSimulator.Driver;

/// <summary>A CUDA driver without a GPU: the entry points of libcuda, by name, with devices that execute PTX on the
/// CPU.
/// </summary>
/// <remarks>Thread-safe. Devices are independent of each other: tests that run in parallel take one each.</remarks>
public static class SimulatedDriver
{
    /// <summary>What cuDriverGetVersion says: CUDA 12.4.</summary>
    internal const int Version = 12040;

    /// <summary>The newest PTX that a driver of this version takes, times ten.</summary>
    internal const int PtxVersion = 84;

    private static readonly Dictionary<string, nint> EntryPoints = CreateEntryPoints();
    private static readonly List<DriverDevice> Devices = [new DriverDevice(0, EnvironmentOptions.Current.Device)];
    private static readonly Lock DevicesLock = new();

    /// <summary>Every name that <see cref="Export"/> knows.</summary>
    public static IReadOnlyCollection<string> Symbols => EntryPoints.Keys;

    internal static int DeviceCount
    {
        get
        {
            lock (DevicesLock) return Devices.Count;
        }
    }

    /// <summary>The address of a function with the C signature of cuda.h; 0 if the simulator does not have
    /// it.</summary>
    public static nint Export(string symbol) => EntryPoints.GetValueOrDefault(symbol);

    /// <summary>Plugs in another device. It stays for the life of the process, but holds memory of the host only while
    /// it has a context.</summary>
    /// <returns>Its ordinal, which is also its CUdevice.</returns>
    public static int AddDevice(SimulatedDeviceOptions options)
    {
        lock (DevicesLock)
        {
            Devices.Add(new DriverDevice(Devices.Count, options));
            return Devices.Count - 1;
        }
    }

    /// <summary>The fault that lost a context of the device last: where in which kernel, and what; null if none did.
    /// </summary>
    public static SimulationException? LastFault(int ordinal) => Read(ordinal, device => device.LastFault);

    /// <summary>What programs hold on the device at this moment: a description of each stream, event, module, graph,
    /// allocation and pinned range.</summary>
    public static IReadOnlyList<string> Holdings(int ordinal) => Read(ordinal, device => device.Holdings);

    /// <summary>What of <see cref="Holdings"/> was still there when a context of the device ended.</summary>
    public static IReadOnlyList<string> Leaks(int ordinal) => Read(ordinal, device => device.Leaks.ToArray());

    /// <summary>The kernels that the device has run, in that order, since it was added or cleared.</summary>
    public static IReadOnlyList<LaunchSummary> Launches(int ordinal) =>
        Read(ordinal, device => device.Launches.Snapshot());

    /// <summary>Does the work that waits in streams, then forgets all launches.</summary>
    public static void ClearLaunches(int ordinal) => Read(ordinal, device =>
    {
        device.Finish();
        device.Launches.Clear();
        return 0;
    });

    /// <exception cref="DriverException">There is no such device.</exception>
    internal static DriverDevice Device(int ordinal)
    {
        lock (DevicesLock)
        {
            return ordinal >= 0 && ordinal < Devices.Count
                ? Devices[ordinal]
                : throw new DriverException(
                    DriverError.InvalidDevice,
                    $"there is no device {ordinal}; the driver has {Devices.Count}, numbered from 0.");
        }
    }

    private static T Read<T>(int ordinal, Func<DriverDevice, T> read)
    {
        DriverDevice device = Find(ordinal);
        lock (device.Lock) return read(device);
    }

    private static DriverDevice Find(int ordinal)
    {
        lock (DevicesLock)
        {
            return ordinal >= 0 && ordinal < Devices.Count
                ? Devices[ordinal]
                : throw new ArgumentOutOfRangeException(
                    nameof(ordinal), ordinal, $"There are {Devices.Count} devices, numbered from 0.");
        }
    }

    private static Dictionary<string, nint> CreateEntryPoints()
    {
        var table = new Dictionary<string, nint>();
        DeviceFunctions.AddTo(table);
        ContextFunctions.AddTo(table);
        ModuleFunctions.AddTo(table);
        MemoryFunctions.AddTo(table);
        CopyFunctions.AddTo(table);
        PoolFunctions.AddTo(table);
        StreamFunctions.AddTo(table);
        EventFunctions.AddTo(table);
        LaunchFunctions.AddTo(table);
        GraphFunctions.AddTo(table);
        TensorMapFunctions.AddTo(table);
        return table;
    }
}
