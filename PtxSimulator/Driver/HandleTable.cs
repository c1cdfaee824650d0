using System.Collections.Concurrent;

namespace PtxSimulator.Driver;

/// <summary>Handles of one kind of object. A handle is a number that means nothing else: no address, and never given
/// twice, so that a destroyed, a foreign or a mangled one is noticed.</summary>
/// <param name="kind">Names the kind in a diagnosis.</param>
/// <param name="unknown">What an unknown handle of this kind returns.</param>
internal sealed class HandleTable<T>(string kind, DriverError unknown = DriverError.InvalidHandle) where T : class
{
    /// <summary>Above every address of a 47-bit user space, so that no pointer is mistaken for a handle.</summary>
    private const long FirstHandle = 0x5AD0_0000_0000_0000;

    private readonly ConcurrentDictionary<nint, T> _objects = new();

    public nint Add(T value)
    {
        nint handle = (nint)HandleNumbers.Next(FirstHandle);
        _objects[handle] = value;
        return handle;
    }

    /// <exception cref="DriverException">There is no such object.</exception>
    public T Get(nint handle) => Find(handle)
        ?? throw new DriverException(unknown, $"0x{handle:x} is no {kind}, or one that was destroyed.");

    public T? Find(nint handle) => _objects.GetValueOrDefault(handle);

    public void Remove(nint handle) => _objects.TryRemove(handle, out _);
}

/// <summary>One sequence for all kinds: an event's handle is no stream's handle.</summary>
internal static class HandleNumbers
{
    private const int Spacing = 16;

    private static long _count;

    public static long Next(long first) => first + Spacing * Interlocked.Increment(ref _count);
}
