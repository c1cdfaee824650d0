using PtxSimulator.Reports;

namespace PtxSimulator.Driver;

/// <summary>A simulated device as the driver knows it. All of its state, contexts and streams is guarded by its lock:
/// threads that use different devices do not wait for each other.</summary>
internal sealed class DriverDevice(int ordinal, SimulatedDeviceOptions options)
{
    /// <summary>Simulated duration of whatever a stream does, in nanoseconds. It only has to be above zero.</summary>
    private const long WorkNanoseconds = 1000;

    private readonly List<DriverContext> _contexts = [];
    private int _primaryUsers;
    private SimulatedDevice? _simulator;
    private nint _primaryHandle, _defaultPool;

    public int Ordinal => ordinal;

    public Lock Lock { get; } = new();

    /// <summary>What executes; it lives as long as there is a context.</summary>
    public SimulatedDevice Simulator => _simulator ??= new SimulatedDevice(options);

    public SimulatedDeviceOptions Options => options;

    public DeviceLimits Limits { get; } = DeviceLimits.Of(options.ComputeCapability);

    /// <summary>Time of the device in nanoseconds; moves only when work is done.</summary>
    public long Clock { get; private set; }

    public SimulationException? LastFault { get; set; }

    /// <summary>What was still there when its context ended, one description each.</summary>
    public List<string> Leaks { get; } = [];

    /// <summary>What programs hold in any context.</summary>
    public IReadOnlyList<string> Holdings => [.. _contexts.SelectMany(context => context.Holdings)];

    public LaunchLog Launches { get; } = new();

    /// <summary>Decides which of a graph's independent nodes goes first.</summary>
    public Random Schedule { get; } = new(options.Seed);

    public bool IsPrimaryActive => _primaryUsers > 0;

    public nint DefaultPool
    {
        get
        {
            lock (Lock)
            {
                if (_defaultPool == 0) _defaultPool = Handles.Pools.Add(new MemoryPool(this));
                return _defaultPool;
            }
        }
    }

    /// <summary>Does what waits in any context. A fault comes back to its program, as ever, at the next call.</summary>
    public void Finish()
    {
        foreach (DriverContext context in _contexts)
        {
            try
            {
                if (context.Fault is null) context.Synchronize();
            }
            catch (DriverException)
            {
                // The context keeps it.
            }
        }
    }

    public void Tick() => Clock += WorkNanoseconds;

    public nint CreateContext(bool isPrimary)
    {
        var context = new DriverContext(this, isPrimary);
        _contexts.Add(context);
        return context.Handle = Handles.Contexts.Add(context);
    }

    public void DestroyContext(nint handle)
    {
        DriverContext context = Handles.Contexts.Get(handle);
        context.Destroy();
        Handles.Contexts.Remove(handle);
        _contexts.Remove(context);
        if (_contexts.Count > 0) return;
        if (ordinal == 0) WriteReport();
        _simulator?.Dispose();
        _simulator = null;
    }

    public nint RetainPrimary()
    {
        if (_primaryUsers++ == 0) _primaryHandle = CreateContext(isPrimary: true);
        return _primaryHandle;
    }

    /// <exception cref="DriverException">Nobody retained it.</exception>
    public void ReleasePrimary()
    {
        if (_primaryUsers == 0)
        {
            throw new DriverException(
                DriverError.InvalidContext, "the primary context is released more often than retained.");
        }

        if (--_primaryUsers == 0) DestroyContext(_primaryHandle);
    }

    /// <summary>For a program that only knows a library of CUDA: its launches, as a table, where it asked for them.
    /// </summary>
    private void WriteReport()
    {
        if (EnvironmentOptions.Current.ReportPath is not { } path) return;
        Card card =
            Card.Known.FirstOrDefault(each => each.ComputeCapability == options.ComputeCapability) ?? Card.Known[1];
        File.WriteAllText(path,
            $"Simulated, not measured; times are predicted for {card.Name}.\n" +
            ReportTable.Write(new NetworkReport(Launches.Snapshot()), options.Resources, card));
    }
}
