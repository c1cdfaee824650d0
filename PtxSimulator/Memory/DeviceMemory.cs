using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PtxSimulator.Memory;

/// <summary>The memory of a simulated device. Addresses are outside what a host process can map.</summary>
/// <remarks>Thread-safe. Fresh memory holds 0xFF bytes (NaN as float, half and double).</remarks>
public sealed unsafe class DeviceMemory : IDisposable
{
    /// <summary>Where the device's addresses start; a multiple of 4 GiB.</summary>
    internal const ulong FirstAddress = 0x00D0_0000_0000_0000;

    /// <summary>Bytes around every allocation that belong to none.</summary>
    private const long RedZone = 256;

    /// <summary>Freed memory rests until this much of it waits, so that late accesses meet no new owner.</summary>
    private const long QuarantineBytes = 64L << 20;

    private readonly Lock _lock = new();
    private readonly SortedList<long, (long Bytes, string Label)> _live = [];
    private readonly FreeRanges _free;
    private readonly Queue<(long Start, long Bytes, string Label)> _quarantine = new();
    private long _resting;

    internal DeviceMemory(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, uint.MaxValue);
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 2 * RedZone);
        Capacity = bytes / 64 * 64;
        Data = (byte*)NativeMemory.AlignedAlloc((nuint)Capacity + 64, 64);
        State = (ByteState*)NativeMemory.AllocZeroed((nuint)Capacity + 64);
        _free = new FreeRanges(RedZone, Capacity - RedZone);
    }

    /// <summary>Size in bytes.</summary>
    public long Capacity { get; }

    /// <summary>Bytes in live allocations.</summary>
    public long Used { get; private set; }

    /// <summary>The highest <see cref="Used"/> so far.</summary>
    public long Peak { get; private set; }

    /// <summary>Live allocations: address, bytes and label.</summary>
    public IReadOnlyList<(ulong Address, long Bytes, string Label)> Allocations
    {
        get
        {
            lock (_lock) return [.. _live.Select(e => (FirstAddress + (ulong)e.Key, e.Value.Bytes, e.Value.Label))];
        }
    }

    internal byte* Data { get; private set; }

    /// <summary>One state for each byte of <see cref="Data"/>.</summary>
    internal ByteState* State { get; private set; }

    /// <summary>Bytes from the start that were ever allocated.</summary>
    internal long Reached { get; private set; }

    /// <summary>Returns an address aligned to 256 bytes.</summary>
    /// <exception cref="InsufficientMemoryException">No free range is large enough.</exception>
    public ulong Allocate(long bytes, string label)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1);
        lock (_lock)
        {
            var taken = Taken(bytes);
            var start = _free.Take(taken);
            while (start < 0 && _quarantine.Count > 0)
            {
                EndRest();
                start = _free.Take(taken);
            }
            if (start < 0)
                throw new InsufficientMemoryException(
                    $"{bytes} bytes for {label} do not fit: {Used} of the device's {Capacity} bytes are in use.");
            NativeMemory.Clear(State + start, (nuint)taken);
            Unsafe.InitBlockUnaligned(Data + start, 0xFF, checked((uint)bytes));
            Unsafe.InitBlockUnaligned(State + start, (byte)ByteState.Allocated, (uint)bytes);
            _live.Add(start, (bytes, label));
            Used += bytes;
            Peak = Math.Max(Peak, Used);
            Reached = Math.Max(Reached, start + taken);
            return FirstAddress + (ulong)start;
        }
    }

    /// <summary>Frees an allocation; later accesses to it are faults for as long as its range is not needed
    /// again.</summary>
    /// <exception cref="ArgumentException">No allocation starts at <paramref name="address"/>.</exception>
    public void Free(ulong address)
    {
        lock (_lock)
        {
            var start = (long)(address - FirstAddress);
            if (!_live.Remove(start, out var allocation))
                throw new ArgumentException($"No allocation starts at 0x{address:X}.", nameof(address));
            Unsafe.InitBlockUnaligned(State + start, (byte)ByteState.Freed, (uint)allocation.Bytes);
            Used -= allocation.Bytes;
            _quarantine.Enqueue((start, allocation.Bytes, allocation.Label));
            _resting += allocation.Bytes;
            while (_resting > QuarantineBytes) EndRest();
        }
    }

    /// <summary>Copies to the host. Bytes that nothing wrote are copied as they are.</summary>
    /// <exception cref="ArgumentException">The range is not within one live allocation.</exception>
    public void Read(ulong address, Span<byte> destination) =>
        new ReadOnlySpan<byte>(Data + Locate(address, destination.Length), destination.Length).CopyTo(destination);

    /// <summary>Copies from the host; the bytes count as written.</summary>
    /// <exception cref="ArgumentException">The range is not within one live allocation.</exception>
    public void Write(ulong address, ReadOnlySpan<byte> source)
    {
        var start = Locate(address, source.Length);
        source.CopyTo(new Span<byte>(Data + start, source.Length));
        MarkWritten(start, source.Length);
    }

    /// <summary>Writes <paramref name="count"/> copies of <paramref name="value"/>.</summary>
    /// <exception cref="ArgumentException">The range is not within one live allocation.</exception>
    public void Fill<T>(ulong address, T value, long count) where T : unmanaged
    {
        var start = Locate(address, count * sizeof(T));
        new Span<T>(Data + start, checked((int)count)).Fill(value);
        MarkWritten(start, count * sizeof(T));
    }

    /// <summary>Copies within the device, with what is known about bytes never written.</summary>
    public void Copy(ulong source, ulong destination, long bytes)
    {
        var (from, to) = (Locate(source, bytes), Locate(destination, bytes));
        Buffer.MemoryCopy(Data + from, Data + to, bytes, bytes);
        Buffer.MemoryCopy(State + from, State + to, bytes, bytes);
    }

    /// <summary>Says which allocation an address belongs to, or lies next to.</summary>
    internal string Describe(ulong address)
    {
        var offset = (long)(address - FirstAddress);
        lock (_lock)
        {
            foreach (var (start, bytes, label) in _quarantine)
                if (offset >= start && offset < start + bytes)
                    return $"byte {offset - start} of {label} ({bytes} bytes), which was freed";
            string nearest = "no allocation";
            var least = long.MaxValue;
            foreach (var (start, (bytes, label)) in _live)
            {
                if (offset >= start && offset < start + bytes)
                    return $"byte {offset - start} of {label} ({bytes} bytes)";
                var (before, after) = (start - offset, offset - start - bytes);
                var distance = Math.Max(before, after);
                if (distance >= least) continue;
                least = distance;
                nearest = before > 0 ? $"{before} bytes before {label} ({bytes} bytes)"
                    : $"{after} bytes after the end of {label} ({bytes} bytes)";
            }
            return nearest;
        }
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(Data);
        NativeMemory.Free(State);
        Data = null;
        State = null;
    }

    // The range, the zone behind it and what rounds it up; the zone before it is the one behind its neighbour.
    private static long Taken(long bytes) => (bytes + 255) / 256 * 256 + RedZone;

    private void EndRest()
    {
        var (start, bytes, _) = _quarantine.Dequeue();
        _free.Return(start, Taken(bytes));
        _resting -= bytes;
    }

    private void MarkWritten(long start, long bytes) => Unsafe.InitBlockUnaligned(
        State + start, (byte)(ByteState.Allocated | ByteState.Written), checked((uint)bytes));

    private long Locate(ulong address, long bytes)
    {
        var start = (long)(address - FirstAddress);
        lock (_lock)
        {
            var index = _live.IndexOfLast(start);
            if (index >= 0 && start + bytes <= _live.Keys[index] + _live.Values[index].Bytes) return start;
        }
        throw new ArgumentException(
            $"{bytes} bytes at 0x{address:X} are not within one allocation: {Describe(address)}.", nameof(address));
    }
}

/// <summary>What is known about a byte of memory.</summary>
[Flags]
internal enum ByteState : byte
{
    None = 0,
    Allocated = 1,
    Written = 2,
    Freed = 4,
}

internal static class SortedKeys
{
    /// <summary>Index of the greatest key not above <paramref name="key"/>, or -1.</summary>
    public static int IndexOfLast<T>(this SortedList<long, T> list, long key)
    {
        var (low, high) = (0, list.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (list.Keys[middle] <= key) low = middle + 1;
            else high = middle;
        }
        return low - 1;
    }
}
