namespace PtxSimulator.Memory;

/// <summary>The memory of a simulated device. Addresses are outside what a host process can map.</summary>
/// <remarks>Thread-safe. Fresh memory holds 0xFF bytes (NaN as float, half and double).</remarks>
public sealed class DeviceMemory : IDisposable
{
    internal DeviceMemory(long bytes) => Capacity = bytes;

    /// <summary>Size in bytes.</summary>
    public long Capacity { get; }

    /// <summary>Bytes in live allocations.</summary>
    public long Used { get; private set; }

    /// <summary>Live allocations: address, bytes and label.</summary>
    public IReadOnlyList<(ulong Address, long Bytes, string Label)> Allocations => throw new NotImplementedException();

    /// <summary>Returns an address aligned to 256 bytes.</summary>
    /// <exception cref="InsufficientMemoryException">No free range is large enough.</exception>
    public ulong Allocate(long bytes, string label) => throw new NotImplementedException();

    /// <summary>Frees an allocation; later accesses to it are faults for as long as its range is not needed again.</summary>
    /// <exception cref="ArgumentException">No allocation starts at <paramref name="address"/>.</exception>
    public void Free(ulong address) => throw new NotImplementedException();

    /// <summary>Copies to the host. Bytes that nothing wrote are copied as they are.</summary>
    /// <exception cref="ArgumentException">The range is not within one live allocation.</exception>
    public void Read(ulong address, Span<byte> destination) => throw new NotImplementedException();

    public void Write(ulong address, ReadOnlySpan<byte> source) => throw new NotImplementedException();

    /// <summary>Writes <paramref name="count"/> copies of <paramref name="value"/>.</summary>
    public void Fill<T>(ulong address, T value, long count) where T : unmanaged => throw new NotImplementedException();

    /// <summary>Copies within the device, with what is known about bytes never written. Ranges may not overlap.</summary>
    public void Copy(ulong source, ulong destination, long bytes) => throw new NotImplementedException();

    public void Dispose() { }
}
