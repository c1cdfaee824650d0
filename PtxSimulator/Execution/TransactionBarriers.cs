using PtxSimulator.Checking;

namespace PtxSimulator.Execution;

/// <summary>An mbarrier: its phase ends when all arrivals that it counts have come, and all bytes that were
/// announced.</summary>
internal sealed class TransactionBarrier
{
    /// <summary>Arrivals and bytes are counted in 20 bits.</summary>
    public const int Most = (1 << 20) - 1;

    /// <summary>Number among the mbarriers of the block.</summary>
    public required int Slot { get; init; }

    public required uint Offset { get; init; }

    /// <summary>Arrivals of each phase.</summary>
    public required int Count { get; init; }

    /// <summary>The warp that made it and the clock at which it did.</summary>
    public required (int Warp, uint Clock) Origin { get; init; }

    /// <summary>Arrivals that the phase lacks.</summary>
    public required int Missing { get; set; }

    /// <summary>Bytes announced, less those that have come.</summary>
    public int Bytes { get; set; }

    /// <summary>Phases that are complete.</summary>
    public long Phase { get; set; }

    /// <summary>Copies on their way that complete on it.</summary>
    public int Copies { get; set; }

    /// <summary>A fence has shown it to the asynchronous proxy.</summary>
    public bool IsFenced { get; set; }

    /// <summary>What those who arrived at this phase have done, and at the phases before it.</summary>
    public Clocks.Vector? Arriving { get; init; }

    public Clocks.Vector? Completed { get; init; }

    public string Wanting => $"{Missing} of {Count} arrivals and {Bytes} bytes";
}

/// <summary>The mbarriers of a block. Their words in shared memory only mark their places.</summary>
internal sealed unsafe class TransactionBarriers(BlockRunner block)
{
    private readonly Dictionary<uint, TransactionBarrier> _barriers = [];
    private readonly Stack<int> _slots = [];

    /// <summary>Grows with whatever may let a waiting warp go on.</summary>
    public long Changes { get; private set; }

    public void StartBlock()
    {
        _barriers.Clear();
        _slots.Clear();
        for (var slot = Clocks.Barriers - 1; slot >= 0; slot--) _slots.Push(slot);
    }

    public void Initialize(Warp warp, Op* op, int lane, uint offset, uint count)
    {
        if (count is 0 or > TransactionBarrier.Most)
        {
            throw Fault(
                warp, op, lane, offset, $"an mbarrier for {count} arrivals; 1 to {TransactionBarrier.Most} can be");
        }

        if (offset % 8 != 0) throw Fault(warp, op, lane, offset, "its place is no multiple of 8");
        if (_barriers.ContainsKey(offset)) throw Fault(warp, op, lane, offset, "it is one already");
        if (!_slots.TryPop(out var slot))
            throw Fault(warp, op, lane, offset, $"more than {Clocks.Barriers} mbarriers are not simulated");
        var clocks = block.Races?.Clocks;
        block.Races?.MarkBarrier(warp, op, lane, offset, exists: true);
        Watch.MarkWritten(block.SharedState + offset, 8);
        _barriers[offset] = new TransactionBarrier
        {
            Slot = slot,
            Offset = offset,
            Count = (int)count,
            Missing = (int)count,
            Origin = (warp.Index, clocks?.Of(warp.Index) ?? 0),
            Arriving = clocks is null ? null : new Clocks.Vector(clocks),
            Completed = clocks is null ? null : new Clocks.Vector(clocks),
        };
    }

    public void Invalidate(Warp warp, Op* op, int lane, uint offset)
    {
        var barrier = Find(warp, op, lane, offset);
        if (barrier.Copies > 0) throw Fault(warp, op, lane, offset, "copies that complete on it are on their way");
        _barriers.Remove(offset);
        _slots.Push(barrier.Slot);
        block.Races?.MarkBarrier(warp, op, lane, offset, exists: false);
    }

    /// <summary>Shows the mbarriers that a warp made to the asynchronous proxy.</summary>
    public void Fence(Warp warp)
    {
        foreach (var barrier in _barriers.Values)
            if (barrier.Origin.Warp == warp.Index) barrier.IsFenced = true;
    }

    /// <exception cref="SimulationException">There is none, or not yet for this warp.</exception>
    public TransactionBarrier Find(Warp warp, Op* op, int lane, uint offset)
    {
        if (!_barriers.TryGetValue(offset, out var barrier))
            throw Fault(warp, op, lane, offset, "no mbarrier was initialised there");
        if (block.Races is { } races && barrier.Origin.Warp != warp.Index
            && !races.Clocks.Orders(barrier.Origin.Warp, barrier.Origin.Clock, warp.Index))
        {
            throw Fault(warp, op, lane, offset,
                $"warp {barrier.Origin.Warp} initialises it, and no barrier of the block stands between");
        }
        return barrier;
    }

    /// <returns>The phase that it arrived at.</returns>
    public long Arrive(Warp warp, Op* op, int lane, uint offset, uint count, uint announcedBytes)
    {
        var barrier = Find(warp, op, lane, offset);
        var phase = barrier.Phase;
        if (count == 0 || count > barrier.Missing)
            throw Fault(warp, op, lane, offset, $"{count} arrivals where the phase lacks {barrier.Missing}");
        Announce(warp, op, lane, barrier, announcedBytes);
        barrier.Missing -= (int)count;
        block.Races?.Clocks.Release(warp.Index, barrier.Arriving!);
        Complete(barrier, warp, op, lane);
        return phase;
    }

    public void Announce(Warp warp, Op* op, int lane, TransactionBarrier barrier, uint bytes)
    {
        if (bytes > TransactionBarrier.Most || barrier.Bytes + (int)bytes > TransactionBarrier.Most)
        {
            throw Fault(
                warp, op, lane, barrier.Offset, $"{bytes} bytes announced; at most {TransactionBarrier.Most} can be");
        }

        barrier.Bytes += (int)bytes;
    }

    /// <summary>Bytes have come.</summary>
    public void Deliver(TransactionBarrier barrier, int bytes, Warp warp, Op* op)
    {
        barrier.Copies--;
        barrier.Bytes -= bytes;
        Complete(barrier, warp, op, 0);
    }

    /// <summary>Whether a phase is over; if so, the warp now knows what those have done who arrived at it.</summary>
    /// <param name="phase">The phase, or its parity.</param>
    public bool IsOver(Warp warp, Op* op, int lane, uint offset, ulong phase, bool isParity)
    {
        var barrier = Find(warp, op, lane, offset);
        if (isParity && phase > 1) throw Fault(warp, op, lane, offset, $"parity {phase}; 0 or 1 can be");
        var isOver = isParity ? ((ulong)barrier.Phase & 1) != phase : (ulong)barrier.Phase > phase;
        if (!isOver)
        {
            warp.Sleep(barrier, Changes);
            return false;
        }
        warp.WarpEpoch++;
        block.Races?.Clocks.Acquire(warp.Index, barrier.Completed!);
        return true;
    }

    /// <exception cref="SimulationException">Bytes have come that nobody announced.</exception>
    public void EndBlock()
    {
        foreach (var barrier in _barriers.Values)
        {
            if (barrier.Bytes >= 0) continue;
            throw new SimulationException(FaultKind.InvalidBarrier,
                $"the block ends and {-barrier.Bytes} bytes more than were announced have come to the mbarrier at " +
                $"shared address 0x{BlockRunner.FirstShared + barrier.Offset:X}.")
            {
                Block = block.BlockIndex,
            };
        }
    }

    private void Complete(TransactionBarrier barrier, Warp warp, Op* op, int lane)
    {
        if (barrier.Missing > 0 || barrier.Bytes != 0) return;
        if (barrier.Copies > 0)
        {
            throw Fault(
                warp, op, lane, barrier.Offset,
                $"its phase ends while {barrier.Copies} copies are on their way: fewer bytes were announced than come");
        }

        barrier.Missing = barrier.Count;
        barrier.Phase++;
        Changes++;
        if (block.Races?.Clocks is not { } clocks) return;
        barrier.Completed!.Join(barrier.Arriving!);
        clocks.CompletePhase(barrier.Slot, barrier.Completed!);
    }

    private SimulationException Fault(Warp warp, Op* op, int lane, uint offset, string what) =>
        block.Fault(FaultKind.InvalidBarrier, warp, op, lane,
            $"mbarrier at shared address 0x{BlockRunner.FirstShared + offset:X}: {what}.",
            BlockRunner.FirstShared + offset, block.Launch.Program.SharedVariableAt((int)offset));
}
