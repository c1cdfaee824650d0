using PtxSimulator.Execution;
using PtxSimulator.Instructions;

namespace PtxSimulator.Checking;

/// <summary>The asynchronous proxy: bulk copies and wgmma. It sees what threads wrote only behind fence.proxy.async,
/// and goes on reading until somebody waits for it.</summary>
internal sealed unsafe partial class SharedRaces
{
    /// <summary>Bytes that wgmma and bulk copies read at a time: rows of a core matrix, and the swizzle's
    /// unit.</summary>
    public const int ChunkBytes = 16;

    private readonly List<UnfinishedRead> _unread = [];

    /// <summary>Chunks that an asynchronous instruction may still read.</summary>
    internal sealed class UnfinishedRead(Warp warp, int op, uint[] chunks)
    {
        public Warp Warp => warp;
        public int Op => op;
        public ReadOnlySpan<uint> Chunks => chunks;
        public readonly uint First = chunks.Min();
        public readonly uint Last = chunks.Max();
    }

    /// <summary>Begins a read of 16-byte chunks at these offsets.</summary>
    public UnfinishedRead BeginRead(Warp warp, Op* op, uint[] chunks)
    {
        foreach (var chunk in chunks)
            for (var cell = chunk >> _shift; cell <= chunk + ChunkBytes - 1 >> _shift; cell++)
                ThrowIfUnseen(warp, op, chunk, _writes[cell]);
        var read = new UnfinishedRead(warp, op->Index, chunks);
        _unread.Add(read);
        return read;
    }

    /// <summary>The warp has waited for a read: from now on it is one of this moment.</summary>
    public void EndRead(UnfinishedRead read)
    {
        _unread.Remove(read);
        var stamp = Stamp(read.Warp);
        var reads = _reads + (long)read.Warp.Index * _count;
        foreach (var chunk in read.Chunks)
            for (var cell = chunk >> _shift; cell <= chunk + ChunkBytes - 1 >> _shift; cell++)
            {
                reads[cell] = new Cell { Stamp = stamp, Op = read.Op };
                _writes[cell].Readers |= 1u << read.Warp.Index;
            }
    }

    /// <summary>A bulk copy that completes on an mbarrier begins to write.</summary>
    public void BeginCopy(Warp warp, Op* op, uint offset, int bytes, int barrier)
    {
        ThrowIfUnread(warp, op, 0, offset, bytes);
        var stamp = (ulong)Clocks.OfBarrier(barrier) << ClockShift | (ulong)(uint)barrier << ThreadShift | Bulk;
        for (var cell = offset >> _shift; cell <= offset + (uint)bytes - 1 >> _shift; cell++)
        {
            ThrowIfUnseen(warp, op, cell << _shift, _writes[cell]);
            for (var readers = _writes[cell].Readers; readers != 0;)
            {
                var reader = Lanes.TakeLowest(ref readers);
                var read = _reads[(long)reader * _count + cell];
                if (reader != warp.Index && !Clocks.Orders(reader, (uint)(read.Stamp >> ClockShift), warp.Index))
                    throw AsynchronousRace(warp, op, cell << _shift, read.Op, "read");
            }
            _writes[cell] = new Cell { Stamp = stamp, Op = op->Index };
        }
    }

    /// <summary>Marks an mbarrier, or what is no longer one, as written by a thread.</summary>
    public void MarkBarrier(Warp warp, Op* op, int lane, uint offset, bool exists)
    {
        var stamp = Stamp(warp) | (ulong)(uint)lane << ThreadShift | (exists ? Barrier : 0);
        for (var cell = offset >> _shift; cell <= offset + 7 >> _shift; cell++)
            _writes[cell] = new Cell { Stamp = stamp, Op = op->Index };
    }

    // A write that the asynchronous proxy need not see yet.
    private void ThrowIfUnseen(Warp warp, Op* op, uint offset, Cell write)
    {
        if (write.Stamp == 0) return;
        var clock = (uint)(write.Stamp >> ClockShift);
        var writer = ThreadOf(write.Stamp);
        if ((write.Stamp & (InFlight | Bulk | Barrier)) != 0)
        {
            if (!Conflicts(write.Stamp, 0, warp.Index)) return;
            if ((write.Stamp & Barrier) == 0) throw AsynchronousRace(warp, op, offset, write.Op, "written by a copy");
            throw AsynchronousRace(warp, op, offset, write.Op, "made an mbarrier");
        }
        writer >>= 5;
        if (writer != warp.Index && !Clocks.Orders(writer, clock, warp.Index))
            throw AsynchronousRace(warp, op, offset, write.Op, "written");
        if (Clocks.Fences(writer, clock, warp.Index)) return;
        throw _block.Fault(FaultKind.ProxyFence, warp, op, 0,
            $"shared address 0x{BlockRunner.FirstShared + offset:X} was written by thread {ThreadOf(write.Stamp)} (" +
            $"{_block.Launch.Program.Location(write.Op)}), and no fence.proxy.async stands between that and this " +
            "access through the asynchronous proxy.", BlockRunner.FirstShared + offset, Variable(offset));
    }

    // A write to bytes that wgmma, or a copy to global memory, may still read.
    private void ThrowIfUnread(Warp warp, Op* op, int lane, uint offset, int bytes)
    {
        foreach (var read in _unread)
        {
            if (read.Last + ChunkBytes <= offset || read.First >= offset + (uint)bytes) continue;
            foreach (var chunk in read.Chunks)
            {
                if (chunk + ChunkBytes <= offset || chunk >= offset + (uint)bytes) continue;
                throw _block.Fault(FaultKind.SharedMemoryRace, warp, op, lane,
                    $"shared address 0x{BlockRunner.FirstShared + chunk:X} is written while warp {read.Warp.Index} (" +
                    $"{_block.Launch.Program.Location(read.Op)}) may still read it; wait for its group first.",
                    BlockRunner.FirstShared + chunk, Variable(chunk));
            }
        }
    }

    private SimulationException AsynchronousRace(Warp warp, Op* op, uint offset, int otherOp, string done) =>
        _block.Fault(FaultKind.SharedMemoryRace, warp, op, 0,
            $"shared address 0x{BlockRunner.FirstShared + offset:X} was {done} " +
            $"({_block.Launch.Program.Location(otherOp)}), and no barrier stands between that and this access " +
            "through the asynchronous proxy.",
            BlockRunner.FirstShared + offset, Variable(offset));

    private string Variable(uint offset) => _block.Launch.Program.SharedVariableAt((int)offset);
}
