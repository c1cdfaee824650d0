using System.Runtime.InteropServices;

namespace PtxSimulator.Driver;

/// <summary>A range of host memory that copies may use later, when their turn comes.</summary>
/// <param name="IsOwned">Whether the driver allocated it, rather than the program.</param>
internal sealed record PinnedRange(nint Address, long Bytes, DriverContext Context, bool IsOwned);

/// <summary>Page-locked host memory of the whole process.</summary>
internal static unsafe class PinnedMemory
{
    /// <summary>A page: vector loads and direct file access want no less.</summary>
    private const int Alignment = 4096;

    private static readonly Lock Lock = new();
    private static readonly List<PinnedRange> Ranges = [];

    /// <exception cref="DriverException">The host has no such memory left.</exception>
    public static nint Allocate(long bytes, DriverContext context)
    {
        nint address;
        try
        {
            address = (nint)NativeMemory.AlignedAlloc((nuint)bytes, Alignment);
        }
        catch (OutOfMemoryException)
        {
            throw new DriverException(DriverError.OutOfMemory, $"the host has no {bytes} bytes for pinned memory.");
        }

        Add(new PinnedRange(address, bytes, context, IsOwned: true));
        return address;
    }

    /// <exception cref="DriverException">Part of it is registered already.</exception>
    public static void Register(nint address, long bytes, DriverContext context) =>
        Add(new PinnedRange(address, bytes, context, IsOwned: false));

    /// <param name="isOwned">Whether the driver shall have allocated it.</param>
    /// <exception cref="DriverException">No such range begins there.</exception>
    public static void Release(nint address, bool isOwned)
    {
        PinnedRange? range;
        lock (Lock)
        {
            range = Ranges.Find(each => each.Address == address && each.IsOwned == isOwned);
            if (range is not null) Ranges.Remove(range);
        }

        if (range is null)
        {
            throw isOwned
                ? new DriverException(DriverError.InvalidValue, $"0x{address:x} is not from cuMemHostAlloc.")
                : new DriverException(DriverError.HostMemoryNotRegistered, $"0x{address:x} was not registered.");
        }

        range.Context.Disown(range);
        if (isOwned) NativeMemory.AlignedFree((void*)address);
    }

    /// <summary>A context ends: what it allocated goes with it.</summary>
    public static void ReleaseAll(DriverContext context)
    {
        lock (Lock)
        {
            foreach (PinnedRange range in Ranges.Where(range => range.Context == context && range.IsOwned))
                NativeMemory.AlignedFree((void*)range.Address);
            Ranges.RemoveAll(range => range.Context == context);
        }
    }

    /// <summary>The range that holds all these bytes, or null.</summary>
    public static PinnedRange? Find(nint address, long bytes)
    {
        lock (Lock)
        {
            return Ranges.Find(range => address >= range.Address && address + bytes <= range.Address + range.Bytes);
        }
    }

    private static void Add(PinnedRange range)
    {
        lock (Lock)
        {
            PinnedRange? other = Ranges.Find(each =>
                range.Address < each.Address + each.Bytes && each.Address < range.Address + range.Bytes);
            if (other is not null)
            {
                throw new DriverException(DriverError.HostMemoryAlreadyRegistered,
                    $"0x{range.Address:x} overlaps the {other.Bytes} bytes at 0x{other.Address:x}.");
            }

            Ranges.Add(range);
        }

        range.Context.Own(range, $"pinned memory of {range.Bytes} bytes");
    }
}
