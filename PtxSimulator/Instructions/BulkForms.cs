using System.Buffers;
using PtxSimulator.Execution;
using PtxSimulator.Memory;
using PtxSimulator.Parsing;

namespace PtxSimulator.Instructions;

/// <summary>cp.async.bulk: copies of whole boxes of a tensor, or of bytes in a row, through the asynchronous proxy.
/// Lane after lane; usually one lane asks for them.</summary>
/// <remarks><see cref="Op.Parts"/>: 0 is the place in shared memory, 1 the mbarrier. <see cref="Op.A"/>: the address of
/// the tensor map or of the bytes. <see cref="Op.V"/>: the coordinates, <see cref="Op.Count"/> of them.
/// <see cref="Op.B"/>: the bytes, where there is no tensor map.</remarks>
internal static unsafe class BulkForms
{
    /// <summary>Copies of tensors start in shared memory at multiples of this.</summary>
    private const uint TensorAlignment = 128;

    public static void LoadBox(Warp warp, Op* op)
    {
        var places = Resolve(warp, op->Parts);
        var barriers = Resolve(warp, op->Parts + 1);
        Span<int> corner = stackalloc int[TensorMap.MostDimensions];
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            ref readonly var map = ref MapOf(warp, op, lane);
            Corner(warp, op, lane, corner);
            var bytes = map.BoxBytes;
            var barrier = Begin(warp, op, lane, places[lane], bytes, TensorAlignment, barriers[lane]);
            var (data, states) = Rent(bytes);
            var rows = new BoxRows(map, corner[..map.Rank]);
            for (var at = 0; rows.MoveNext(); at += rows.Bytes)
            {
                data.AsSpan(at, rows.Bytes).Clear();
                states.AsSpan(at, rows.Bytes).Fill((byte)(ByteState.Allocated | ByteState.Written));
                if (rows.BytesWithin > 0)
                    Fetch(warp, op, lane, rows.Address, rows.BytesWithin, data, states, at + rows.BytesBefore);
            }
            Exchange(data, bytes, places[lane], map.SwizzleBytes);
            Exchange(states, bytes, places[lane], map.SwizzleBytes);
            warp.Block.BulkCopies.Issue(warp, op, data, states, bytes, places[lane], barrier);
        }
    }

    public static void LoadBytes(Warp warp, Op* op)
    {
        var places = Resolve(warp, op->Parts);
        var barriers = Resolve(warp, op->Parts + 1);
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            var (address, bytes) = Source(warp, op, lane);
            var barrier = Begin(warp, op, lane, places[lane], bytes, 16, barriers[lane]);
            var (data, states) = Rent(bytes);
            Fetch(warp, op, lane, address, bytes, data, states, 0);
            warp.Block.BulkCopies.Issue(warp, op, data, states, bytes, places[lane], barrier);
        }
    }

    public static void StoreBox(Warp warp, Op* op)
    {
        var places = Resolve(warp, op->Parts);
        Span<int> corner = stackalloc int[TensorMap.MostDimensions];
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            ref readonly var map = ref MapOf(warp, op, lane);
            Corner(warp, op, lane, corner);
            var data = Read(warp, op, lane, places[lane], map.BoxBytes, TensorAlignment);
            Exchange(data, map.BoxBytes, places[lane], map.SwizzleBytes);
            var rows = new BoxRows(map, corner[..map.Rank]);
            for (var at = 0; rows.MoveNext(); at += rows.Bytes)
            {
                if (rows.BytesWithin == 0) continue;
                Put(warp, op, lane, rows.Address, data.AsSpan(at + rows.BytesBefore, rows.BytesWithin));
            }
            ArrayPool<byte>.Shared.Return(data);
        }
    }

    public static void StoreBytes(Warp warp, Op* op)
    {
        var places = Resolve(warp, op->Parts);
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            var (address, bytes) = Source(warp, op, lane);
            var data = Read(warp, op, lane, places[lane], bytes, 16);
            Put(warp, op, lane, address, data.AsSpan(0, bytes));
            ArrayPool<byte>.Shared.Return(data);
        }
    }

    public static void Commit(Warp warp, Op* op)
    {
        for (var rest = warp.Mask; rest != 0;) warp.Stores.Commit(Lanes.TakeLowest(ref rest));
    }

    /// <summary>wait_group: all but the latest <see cref="Op.Immediate"/> groups. What was written to global memory is
    /// there already, so that waiting for the reads alone comes to the same.</summary>
    public static void Wait(Warp warp, Op* op)
    {
        if (warp.Block.Races is not { } races) return;
        for (var rest = warp.Mask; rest != 0;)
            warp.Stores.Wait(Lanes.TakeLowest(ref rest), (int)op->Immediate, races);
        warp.WarpEpoch++;
    }

    /// <summary>prefetch.tensormap.</summary>
    public static void PrefetchMap(Warp warp, Op* op)
    {
        for (var rest = warp.Mask; rest != 0;) MapOf(warp, op, Lanes.TakeLowest(ref rest));
    }

    private static uint[] Resolve(Warp warp, Op* part)
    {
        part->Resolve(warp, part);
        return new Span<uint>(warp.Offsets, 32).ToArray();
    }

    private static (byte[] Data, byte[] States) Rent(int bytes) =>
        (ArrayPool<byte>.Shared.Rent(bytes), ArrayPool<byte>.Shared.Rent(bytes));

    private static void Corner(Warp warp, Op* op, int lane, Span<int> corner)
    {
        for (var i = 0; i < op->Count; i++) corner[i] = ((int*)(warp.Registers + op->V[i]))[lane];
    }

    private static ref readonly TensorMap MapOf(Warp warp, Op* op, int lane)
    {
        var address = ((ulong*)(warp.Registers + op->A))[lane] + (ulong)op->Immediate;
        var launch = warp.Block.Launch;
        var place = address - Addressing.ParameterWindow;
        var isParameter = place < (ulong)launch.Parameters.Length;
        var start = warp.Block.Parameters;
        var bytes = (long)launch.Parameters.Length;
        if (!isParameter)
        {
            (place, bytes) = (address - DeviceMemory.FirstAddress, launch.Memory.Capacity);
            start = launch.Memory.Data;
        }
        if (place % TensorMap.Alignment != 0 || bytes < TensorMap.Bytes || place > (ulong)(bytes - TensorMap.Bytes))
        {
            throw Invalid(warp, op, lane,
                $"a tensor map at 0x{address:X}; it must lie in parameters or global memory, at a multiple of " +
                $"{TensorMap.Alignment}");
        }
        ref readonly var map = ref *(TensorMap*)(start + place);
        if (!map.IsValid)
            throw Invalid(warp, op, lane, $"what lies at 0x{address:X} is no tensor map of cuTensorMapEncodeTiled");
        if (op->Count > 0 && map.Rank != op->Count)
            throw Invalid(warp, op, lane, $"{op->Count} coordinates for a tensor map of {map.Rank} dimensions");
        return ref map;
    }

    private static (ulong Address, int Bytes) Source(Warp warp, Op* op, int lane)
    {
        var address = ((ulong*)(warp.Registers + op->A))[lane] + (ulong)op->Immediate;
        var bytes = ((uint*)(warp.Registers + op->B))[lane];
        if (bytes == 0 || bytes % 16 != 0 || address % 16 != 0 || bytes > TransactionBarrier.Most)
            throw Invalid(warp, op, lane, $"{bytes} bytes at 0x{address:X}; both must be multiples of 16");
        return (address, (int)bytes);
    }

    private static TransactionBarrier Begin(
        Warp warp, Op* op, int lane, uint offset, int bytes, uint alignment, uint barrierOffset)
    {
        var block = warp.Block;
        CheckPlace(warp, op, lane, offset, bytes, alignment);
        var barrier = block.TransactionBarriers.Find(warp, op, lane, barrierOffset);
        if (!barrier.IsFenced && block.Races is not null)
        {
            throw block.Fault(FaultKind.ProxyFence, warp, op, lane,
                "the copy completes on the mbarrier at shared address " +
                $"0x{BlockRunner.FirstShared + barrierOffset:X}, which warp {barrier.Origin.Warp} has initialised " +
                "without fence.mbarrier_init or fence.proxy.async behind.");
        }
        block.Races?.BeginCopy(warp, op, offset, bytes, barrier.Slot);
        if (block.Counters != null)
        {
            block.Counters[op->Index].SharedBytes += bytes;
            block.Counters[op->Index].Cycles += bytes / 128;
            block.Counters[op->Index].IdealCycles += bytes / 128;
        }
        return barrier;
    }

    private static byte[] Read(Warp warp, Op* op, int lane, uint offset, int bytes, uint alignment)
    {
        CheckPlace(warp, op, lane, offset, bytes, alignment);
        if (warp.Block.Races is { } races)
        {
            var chunks = new uint[bytes / 16];
            for (var i = 0; i < chunks.Length; i++) chunks[i] = offset + 16 * (uint)i;
            warp.Stores.Add(lane, races.BeginRead(warp, op, chunks));
        }
        var demands = warp.Block.Launch.ReadDemands;
        if (!Checking.Watch.Meets(warp.Block.SharedState + offset, bytes, demands))
            throw warp.Block.Fault(FaultKind.UninitializedRead, warp, op, lane, "copies what nothing has written.");
        var data = ArrayPool<byte>.Shared.Rent(bytes);
        new Span<byte>(warp.Block.Shared + offset, bytes).CopyTo(data);
        return data;
    }

    private static void CheckPlace(Warp warp, Op* op, int lane, uint offset, int bytes, uint alignment)
    {
        var address = BlockRunner.FirstShared + offset;
        if (address % alignment != 0)
            throw warp.Block.Fault(FaultKind.Misaligned, warp, op, lane,
                $"shared address 0x{address:X} is no multiple of {alignment}.", address);
        if (offset + (long)bytes > warp.Block.Launch.SharedBytes)
            throw warp.Block.Fault(FaultKind.OutOfBounds, warp, op, lane,
                $"{bytes} bytes from shared address 0x{address:X} leave the block's {warp.Block.Launch.SharedBytes}.",
                address);
    }

    // A row of global memory with its states: bytes that nothing wrote stay so until somebody reads them.
    private static void Fetch(Warp warp, Op* op, int lane, ulong address, int bytes, byte[] data, byte[] states, int at)
    {
        var memory = warp.Block.Launch.Memory;
        var offset = Place(warp, op, lane, address, bytes, "read");
        new ReadOnlySpan<byte>(memory.Data + offset, bytes).CopyTo(data.AsSpan(at));
        new ReadOnlySpan<byte>(memory.State + offset, bytes).CopyTo(states.AsSpan(at));
    }

    private static void Put(Warp warp, Op* op, int lane, ulong address, ReadOnlySpan<byte> data)
    {
        var memory = warp.Block.Launch.Memory;
        var offset = Place(warp, op, lane, address, data.Length, "write");
        data.CopyTo(new Span<byte>(memory.Data + offset, data.Length));
        Checking.Watch.MarkWritten(memory.State + offset, data.Length);
    }

    private static uint Place(Warp warp, Op* op, int lane, ulong address, int bytes, string verb)
    {
        var block = warp.Block;
        var memory = block.Launch.Memory;
        var offset = address - DeviceMemory.FirstAddress;
        if (offset > (ulong)memory.Capacity || offset + (ulong)bytes > (ulong)memory.Capacity
            || !Checking.Watch.Meets(memory.State + offset, bytes, block.Launch.WriteDemands))
        {
            throw block.Fault(FaultKind.OutOfBounds, warp, op, lane,
                $"{verb} of {bytes} bytes at global address 0x{address:X} is outside of every allocation.", address,
                memory.Describe(address));
        }
        if (block.Counters != null) block.Sectors!.Count(op, (uint)offset, bytes, block.Counters + op->Index);
        return (uint)offset;
    }

    // From rows one after the other to where the swizzle puts their chunks, and back: it is its own inverse.
    private static void Exchange(byte[] data, int bytes, uint offset, int swizzleBytes)
    {
        if (swizzleBytes == 0) return;
        Span<byte> kept = stackalloc byte[16];
        var start = BlockRunner.FirstShared + offset;
        for (var at = 0u; at < bytes; at += 16)
        {
            var other = TensorMap.Swizzle(start + at, swizzleBytes) - start;
            if (other <= at) continue;
            data.AsSpan((int)at, 16).CopyTo(kept);
            data.AsSpan((int)other, 16).CopyTo(data.AsSpan((int)at));
            kept.CopyTo(data.AsSpan((int)other));
        }
    }

    private static SimulationException Invalid(Warp warp, Op* op, int lane, string what) =>
        warp.Block.Fault(FaultKind.InvalidOperand, warp, op, lane, what + ".");
}
