namespace PtxSimulator.Driver;

/// <summary>Device memory that a context was given.</summary>
/// <param name="IsStreamOrdered">From cuMemAllocAsync: freeing it synchronises nothing.</param>
internal sealed record DeviceAllocation(ulong Address, long Bytes, string Label, bool IsStreamOrdered)
{
    /// <summary>Whether a stream has been told to free it.</summary>
    public bool IsFreed { get; set; }
}

/// <summary>The live allocations of a context, by address.</summary>
internal sealed class DeviceAllocations
{
    private readonly SortedList<ulong, DeviceAllocation> _byAddress = [];

    public IReadOnlyList<DeviceAllocation> All => [.. _byAddress.Values];

    public void Add(DeviceAllocation allocation) => _byAddress.Add(allocation.Address, allocation);

    public void Remove(DeviceAllocation allocation) => _byAddress.Remove(allocation.Address);

    /// <summary>The allocation that starts here and may be freed.</summary>
    /// <exception cref="DriverException">There is none.</exception>
    public DeviceAllocation Get(ulong address) =>
        _byAddress.TryGetValue(address, out DeviceAllocation? allocation) && !allocation.IsFreed
            ? allocation
            : throw new DriverException(DriverError.InvalidValue,
                allocation is null
                    ? $"no allocation starts at 0x{address:x}."
                    : $"{allocation.Label} was freed twice.");

    /// <summary>The allocation that an address lies in, or null.</summary>
    public DeviceAllocation? Find(ulong address)
    {
        int low = 0, high = _byAddress.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_byAddress.Keys[middle] <= address) low = middle + 1;
            else high = middle;
        }

        return low > 0 && address - _byAddress.Keys[low - 1] < (ulong)_byAddress.Values[low - 1].Bytes
            ? _byAddress.Values[low - 1]
            : null;
    }

    /// <exception cref="DriverException">The range is not within one allocation, or a stream was told to free it.
    /// </exception>
    public void RequireRange(ulong address, long bytes, string role)
    {
        if (bytes == 0) return;
        if (Find(address) is not { } allocation)
            throw new DriverException(DriverError.InvalidValue, $"{role} 0x{address:x} is no device memory.");
        if (allocation.IsFreed)
        {
            throw new DriverException(
                DriverError.InvalidValue, $"{role} 0x{address:x}: {allocation.Label} was freed before.");
        }

        long offset = (long)(address - allocation.Address);
        if (bytes < 0 || bytes > allocation.Bytes - offset)
        {
            throw new DriverException(DriverError.InvalidValue,
                $"{role} 0x{address:x}: {bytes} bytes from byte {offset} run past {allocation.Label}.");
        }
    }
}
