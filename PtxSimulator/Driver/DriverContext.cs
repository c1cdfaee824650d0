using PtxSimulator.Memory;

namespace PtxSimulator.Driver;

/// <summary>What belongs together and is lost together. Used with its device's lock held.</summary>
internal sealed class DriverContext
{
    private readonly List<DriverStream> _streams = [];
    private readonly Dictionary<object, string> _resources = new(ReferenceEqualityComparer.Instance);
    private long _allocationCount;

    public DriverContext(DriverDevice device, bool isPrimary)
    {
        (Device, IsPrimary) = (device, isPrimary);
        LegacyStream = new DriverStream(this, isBlocking: true);
        PerThreadStream = new DriverStream(this, isBlocking: true);
        _streams.AddRange([LegacyStream, PerThreadStream]);
    }

    public DriverDevice Device { get; }

    public nint Handle { get; set; }

    /// <summary>Whether the device owns it, rather than the program.</summary>
    public bool IsPrimary { get; }

    public bool IsDestroyed { get; private set; }

    /// <summary>The stream with handle 0 or 1.</summary>
    public DriverStream LegacyStream { get; }

    /// <summary>The stream with handle 2. One for all threads: none of ours uses it from two.</summary>
    public DriverStream PerThreadStream { get; }

    public IReadOnlyList<DriverStream> Streams => _streams;

    public DeviceAllocations Allocations { get; } = new();

    /// <summary>What the program has not given back.</summary>
    public IEnumerable<string> Holdings =>
    [
        .. _resources.Values,
        .. Allocations.All.Where(allocation => !allocation.IsFreed).Select(allocation => allocation.Label),
    ];

    public DeviceMemory Memory => Device.Simulator.Memory;

    /// <summary>Why the context is lost; null while it is not. Every later call returns the same.</summary>
    public DriverException? Fault { get; private set; }

    /// <summary>Captures that were begun and not ended.</summary>
    public List<Capture> Captures { get; } = [];

    public void Add(DriverStream stream)
    {
        _streams.Add(stream);
        Own(stream, "stream");
    }

    /// <summary>What it was given is still done, but nobody can wait for it alone.</summary>
    public void Remove(DriverStream stream)
    {
        stream.Capture?.Invalidate();
        stream.IsDestroyed = true;
        if (stream.IsIdle) _streams.Remove(stream);
        Disown(stream);
    }

    /// <summary>Counts as leaked if it is still owned when the context ends.</summary>
    public void Own(object resource, string description) => _resources.Add(resource, description);

    public void Disown(object resource) => _resources.Remove(resource);

    /// <exception cref="DriverException">Nothing, or more than an address space, was asked for.</exception>
    public static long RequireSize(nuint bytes) => (long)bytes > 0
        ? (long)bytes
        : throw new DriverException(DriverError.InvalidValue, $"{bytes} bytes were asked for.");

    /// <exception cref="DriverException">The memory is not there, not even after all work was done.</exception>
    public ulong Allocate(nuint size, string function, bool isStreamOrdered)
    {
        long bytes = RequireSize(size);
        string label = $"allocation {++_allocationCount} ({function}, {bytes} bytes)";
        if (bytes > Memory.Capacity - Memory.Used) Synchronize();
        try
        {
            ulong address = Memory.Allocate(bytes, label);
            Allocations.Add(new DeviceAllocation(address, bytes, label, isStreamOrdered));
            return address;
        }
        catch (InsufficientMemoryException)
        {
            throw new DriverException(DriverError.OutOfMemory,
                $"{bytes} bytes were asked for; {Memory.Used} of {Memory.Capacity} are in use.");
        }
    }

    public void Free(DeviceAllocation allocation)
    {
        Allocations.Remove(allocation);
        Memory.Free(allocation.Address);
    }

    public void Synchronize()
    {
        foreach (DriverStream stream in _streams.ToArray()) stream.Synchronize();
        _streams.RemoveAll(stream => stream.IsDestroyed);
    }

    /// <summary>What a synchronous copy does first: it keeps order with blocking streams only.</summary>
    public void SynchronizeBlocking()
    {
        RequireNoImplicitDependency();
        foreach (DriverStream stream in _streams.ToArray())
            if (stream.IsBlocking) stream.Synchronize();
    }

    public void Run(Work work)
    {
        try
        {
            work.Run();
            Device.Tick();
        }
        catch (SimulationException e)
        {
            throw Lose(Faults.Result(e.Kind), e);
        }
        catch (PtxFormatException e)
        {
            throw Lose(
                DriverError.LaunchFailed,
                new SimulationException(FaultKind.InvalidLaunch, $"{work.Label}: {e.Message}"));
        }
        catch (ArgumentException e)
        {
            // Memory that was there when the work was queued has been freed since.
            throw Lose(DriverError.IllegalAddress, new SimulationException(FaultKind.UseAfterFree,
                $"{work.Label}: {e.Message}"));
        }
    }

    /// <exception cref="DriverException">The context is lost or gone.</exception>
    public void RequireUsable()
    {
        if (IsDestroyed) throw new DriverException(DriverError.ContextIsDestroyed, "the context was destroyed.");
        if (Fault is not null) throw new DriverException(Fault.Error, Fault.Message);
    }

    /// <exception cref="DriverException">The legacy stream would have to wait for a captured one.</exception>
    public void RequireNoImplicitDependency()
    {
        if (_streams.Find(stream => stream is { IsBlocking: true, Capture: not null })?.Capture is not { } capture)
            return;
        capture.Invalidate();
        throw new DriverException(DriverError.StreamCaptureImplicit,
            "a blocking stream is captured; the legacy stream would have to wait for it. Use a non-blocking stream.");
    }

    /// <summary>Ends it, finished or not, and says what the program forgot.</summary>
    public void Destroy()
    {
        foreach (DriverStream stream in _streams) stream.Drop();
        IsDestroyed = true;
        if (Fault is null) Device.Leaks.AddRange(Holdings);
        foreach (DeviceAllocation allocation in Allocations.All) Memory.Free(allocation.Address);
        PinnedMemory.ReleaseAll(this);
    }

    private DriverException Lose(DriverError error, SimulationException cause)
    {
        Fault = new DriverException(error, cause.Message);
        Device.LastFault = cause;
        foreach (DriverStream stream in _streams) stream.Drop();
        return Fault;
    }
}
