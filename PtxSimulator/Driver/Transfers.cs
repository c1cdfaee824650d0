namespace PtxSimulator.Driver;

/// <summary>Copies and fills as works of a stream. Ranges are checked when they are given and again when they
/// run.</summary>
internal static unsafe class Transfers
{
    /// <summary>Spans are limited; a multiple of every alignment.</summary>
    private const int ChunkBytes = 1 << 30;

    /// <summary>Host to device. What is not pinned is read at once, as a driver stages it.</summary>
    public static Work FromHost(DriverContext context, ulong destination, nint source, long bytes)
    {
        if (bytes > 0) Boundary.RequireNotNull(source, "the source");
        context.Allocations.RequireRange(destination, bytes, "destination");
        string label = $"copy of {bytes} bytes to 0x{destination:x}";
        if (PinnedMemory.Find(source, bytes) is not null)
            return new Work(WorkKind.CopyFromHost, label, () => WritePinned(context, destination, source, bytes));
        byte[] copy = new ReadOnlySpan<byte>((void*)source, checked((int)bytes)).ToArray();
        return new Work(WorkKind.CopyFromHost, label, () => context.Memory.Write(destination, copy));
    }

    /// <summary>Device to host.</summary>
    public static Work ToHost(DriverContext context, nint destination, ulong source, long bytes)
    {
        if (bytes > 0) Boundary.RequireNotNull(destination, "the destination");
        context.Allocations.RequireRange(source, bytes, "source");
        bool isPinned = PinnedMemory.Find(destination, bytes) is not null;
        return new Work(WorkKind.CopyToHost, $"copy of {bytes} bytes from 0x{source:x}", () =>
        {
            if (isPinned) RequirePinned(destination, bytes);
            Read(context, destination, source, bytes);
        });
    }

    public static Work OnDevice(DriverContext context, ulong destination, ulong source, long bytes)
    {
        context.Allocations.RequireRange(destination, bytes, "destination");
        context.Allocations.RequireRange(source, bytes, "source");
        if (source < destination + (ulong)bytes && destination < source + (ulong)bytes)
        {
            throw new DriverException(DriverError.InvalidValue,
                $"source 0x{source:x} and destination 0x{destination:x} of {bytes} bytes overlap.");
        }

        return new Work(WorkKind.CopyOnDevice, $"copy of {bytes} bytes from 0x{source:x} to 0x{destination:x}",
            () => context.Memory.Copy(source, destination, bytes));
    }

    public static Work Fill<T>(DriverContext context, ulong destination, T value, long count) where T : unmanaged
    {
        if (destination % (ulong)sizeof(T) != 0)
            throw new DriverException(DriverError.InvalidValue, $"0x{destination:x} is no multiple of {sizeof(T)}.");
        context.Allocations.RequireRange(destination, checked(count * sizeof(T)), "destination");
        return new Work(WorkKind.Fill, $"fill of {count} x {sizeof(T)} bytes at 0x{destination:x}",
            () => context.Memory.Fill(destination, value, count));
    }

    private static void WritePinned(DriverContext context, ulong destination, nint source, long bytes)
    {
        RequirePinned(source, bytes);
        for (long i = 0; i < bytes; i += ChunkBytes)
        {
            int length = (int)Math.Min(ChunkBytes, bytes - i);
            context.Memory.Write(destination + (ulong)i, new ReadOnlySpan<byte>((byte*)source + i, length));
        }
    }

    private static void Read(DriverContext context, nint destination, ulong source, long bytes)
    {
        for (long i = 0; i < bytes; i += ChunkBytes)
        {
            int length = (int)Math.Min(ChunkBytes, bytes - i);
            context.Memory.Read(source + (ulong)i, new Span<byte>((byte*)destination + i, length));
        }
    }

    /// <exception cref="SimulationException">The pinned memory was freed while a copy still waited for its turn.
    /// </exception>
    private static void RequirePinned(nint address, long bytes)
    {
        if (PinnedMemory.Find(address, bytes) is not null) return;
        throw new SimulationException(FaultKind.UseAfterFree,
            $"the pinned memory at 0x{address:x} was freed before the stream came to the copy of its {bytes} bytes.");
    }
}
