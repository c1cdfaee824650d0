using System.Runtime.InteropServices;
using PtxSimulator.Execution;
using PtxSimulator.Instructions;

namespace PtxSimulator.Checking;

/// <summary>Finds pairs of accesses to shared memory that no barrier orders, whatever the order in which they happened
/// to run: by threads, by cp.async, and through the asynchronous proxy (bulk copies, wgmma).</summary>
internal sealed unsafe partial class SharedRaces : IDisposable
{
    // A stamp tells who accessed a granule when: the clock of the warp (24 bits), the interval between barriers within
    // the warp (20), the thread (10), flags (6). Of a bulk copy: the clock and the number of its mbarrier.
    private const int ClockShift = 40, WarpEpochShift = 20, ThreadShift = 10;
    private const ulong Atomic = 1, InFlight = 2, Bulk = 4, Barrier = 8;

    /// <summary>Other lanes of the warp read it too.</summary>
    private const ulong SeveralLanes = 16;

    private readonly BlockRunner _block;
    private readonly int _shift;
    private readonly int _count;
    private readonly Cell* _writes;
    private readonly Cell* _reads;

    /// <param name="granule">Bytes of the smallest access of the kernel.</param>
    public SharedRaces(BlockRunner block, int granule)
    {
        _block = block;
        _shift = int.Log2(granule);
        _count = (block.Launch.SharedBytes >> _shift) + 1;
        _writes = (Cell*)NativeMemory.AllocZeroed((nuint)_count, (nuint)sizeof(Cell));
        _reads = (Cell*)NativeMemory.AllocZeroed((nuint)(_count * block.Warps.Length), (nuint)sizeof(Cell));
        Clocks = new Clocks(block.Warps.Length);
    }

    /// <summary>The last access of its kind to a granule, and the instruction that did it. Reads have a cell for each
    /// warp.</summary>
    private struct Cell
    {
        public ulong Stamp;
        public int Op;

        /// <summary>Of a write: the warps that have read since.</summary>
        public uint Readers;
    }

    public Clocks Clocks { get; }

    public void StartBlock()
    {
        _unread.Clear();
        if (!Clocks.StartBlock()) return;
        NativeMemory.Clear(_writes, (nuint)(_count * sizeof(Cell)));
        NativeMemory.Clear(_reads, (nuint)(_count * _block.Warps.Length * sizeof(Cell)));
    }

    public void Check(Warp warp, Op* op)
    {
        if (op->Access == Access.Read) CheckReads(warp, op);
        else CheckWrites(warp, op, op->Access == Access.Atomic ? Atomic : op->Access == Access.Copy ? InFlight : 0);
    }

    /// <summary>The thread has waited for its copy: from now on it is an ordinary write of this moment.</summary>
    public void Land(Warp warp, int lane, uint offset, int bytes)
    {
        var stamp = Stamp(warp) | (ulong)(uint)lane << ThreadShift;
        for (var cell = offset >> _shift; cell <= offset + (uint)bytes - 1 >> _shift; cell++)
            if ((_writes[cell].Stamp & InFlight) != 0) _writes[cell].Stamp = stamp;
    }

    // The stamp of lane 0.
    private ulong Stamp(Warp warp) => (ulong)Clocks.Of(warp.Index) << ClockShift
        | (ulong)(warp.WarpEpoch & 0xFFFFF) << WarpEpochShift | (ulong)(uint)(warp.Index * 32) << ThreadShift;

    private void CheckReads(Warp warp, Op* op)
    {
        var stamp = Stamp(warp);
        var reads = _reads + (long)warp.Index * _count;
        var rest = warp.Mask;
        if (warp.Pattern == AccessPattern.Uniform) rest = 3;  // further lanes add nothing to the second
        while (rest != 0)
        {
            var lane = Lanes.TakeLowest(ref rest);
            var own = stamp | (ulong)(uint)lane << ThreadShift;
            var last = warp.Offsets[lane] + (uint)op->Bytes - 1 >> _shift;
            for (var cell = warp.Offsets[lane] >> _shift; cell <= last; cell++)
            {
                var write = _writes + cell;
                if (write->Stamp != 0 && Conflicts(write->Stamp, own, warp.Index))
                    throw Race(warp, op, lane, *write, "written");
                var read = reads[cell].Stamp;
                if (read != own) reads[cell].Stamp = SameInterval(read, own) ? own | SeveralLanes : own;
                reads[cell].Op = op->Index;
                write->Readers |= 1u << warp.Index;
            }
        }
    }

    private void CheckWrites(Warp warp, Op* op, ulong flags)
    {
        var stamp = Stamp(warp);
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            var own = stamp | (ulong)(uint)lane << ThreadShift;
            ThrowIfUnread(warp, op, lane, warp.Offsets[lane], op->Bytes);
            var last = warp.Offsets[lane] + (uint)op->Bytes - 1 >> _shift;
            for (var cell = warp.Offsets[lane] >> _shift; cell <= last; cell++)
            {
                var write = _writes + cell;
                if ((flags & write->Stamp & Atomic) == 0 && write->Stamp != 0
                    && Conflicts(write->Stamp, own, warp.Index) && !WritesSame(warp, op, lane, write))
                    throw Race(warp, op, lane, *write, "written");
                for (var readers = write->Readers; readers != 0;)
                {
                    var reader = Lanes.TakeLowest(ref readers);
                    var read = _reads + (long)reader * _count + cell;
                    if (ReadElsewhere(read->Stamp, own, reader, warp.Index)) throw Race(warp, op, lane, *read, "read");
                }
                *write = new Cell { Stamp = own | flags, Op = op->Index };
            }
        }
    }

    // A write that is not ordered before the access of a thread, or one in flight since this block began.
    private bool Conflicts(ulong write, ulong own, int warp)
    {
        var clock = (uint)(write >> ClockShift);
        if ((write & (InFlight | Bulk | Barrier)) != 0)
            return (write & Bulk) != 0 ? !Clocks.OrdersCopies(ThreadOf(write), clock, warp) : clock >= Clocks.First;
        var writer = ThreadOf(write) >> 5;
        return writer != warp ? !Clocks.Orders(writer, clock, warp)
            : ThreadOf(write) != ThreadOf(own) && SameInterval(write, own);
    }

    private bool ReadElsewhere(ulong read, ulong own, int reader, int warp) => reader != warp
        ? !Clocks.Orders(reader, (uint)(read >> ClockShift), warp)
        : SameInterval(read, own) && (ThreadOf(read) != ThreadOf(own) || (read & SeveralLanes) != 0);

    private static int ThreadOf(ulong stamp) => (int)(stamp >> ThreadShift) & 1023;

    // Between two barriers of one warp, and in this block.
    private bool SameInterval(ulong a, ulong b) =>
        ((a ^ b) >> WarpEpochShift & 0xFFFFF) == 0 && (uint)(a >> ClockShift) >= Clocks.First;

    // Lanes of one store that write the same bits to the same place are allowed to.
    private static bool WritesSame(Warp warp, Op* op, int lane, Cell* cell)
    {
        var (other, otherWarp) = (ThreadOf(cell->Stamp) & 31, ThreadOf(cell->Stamp) >> 5);
        if (op->Access != Access.Write || cell->Op != op->Index || otherWarp != warp.Index) return false;
        if ((warp.Mask >> other & 1) == 0 || warp.Offsets[other] != warp.Offsets[lane]) return false;
        for (var i = 0; i < op->Count; i++)
        {
            var source = warp.Registers + op->V[i];
            var same = op->E == 8 ? ((ulong*)source)[lane] == ((ulong*)source)[other]
                : ((uint*)source)[lane] == ((uint*)source)[other];
            if (!same) return false;
        }
        return true;
    }

    private SimulationException Race(Warp warp, Op* op, int lane, Cell other, string done)
    {
        var address = BlockRunner.FirstShared + warp.Offsets[lane];
        var program = _block.Launch.Program;
        var variable = program.SharedVariableAt((int)warp.Offsets[lane]);
        var place = program.Location(other.Op);
        if ((other.Stamp & InFlight) != 0)
            return _block.Fault(FaultKind.CopyInFlight, warp, op, lane,
                $"shared address 0x{address:X} is touched while cp.async of thread {ThreadOf(other.Stamp)} (" +
                $"{place}) may still write it; wait for the copy's group first.",
                address, variable);
        if ((other.Stamp & Bulk) != 0)
            return _block.Fault(FaultKind.CopyInFlight, warp, op, lane,
                $"shared address 0x{address:X} is touched while a bulk copy ({place}) may still write it; wait for " +
                "the phase of its mbarrier first.", address, variable);
        if ((other.Stamp & Barrier) != 0)
            return _block.Fault(FaultKind.InvalidBarrier, warp, op, lane,
                $"shared address 0x{address:X} holds an mbarrier ({place}); only mbarrier instructions may touch it.",
                address, variable);
        return _block.Fault(FaultKind.SharedMemoryRace, warp, op, lane,
            $"shared address 0x{address:X} was {done} by thread {ThreadOf(other.Stamp)} ({place}) and no barrier " +
            $"stands between that and this access by thread {warp.Index * 32 + lane}.", address, variable);
    }

    public void Dispose()
    {
        NativeMemory.Free(_writes);
        NativeMemory.Free(_reads);
        Clocks.Dispose();
    }
}
