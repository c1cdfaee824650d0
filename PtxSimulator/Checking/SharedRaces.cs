using System.Numerics;
using System.Runtime.InteropServices;
using PtxSimulator.Execution;
using PtxSimulator.Instructions;

namespace PtxSimulator.Checking;

/// <summary>Finds pairs of accesses to shared memory by different threads that no barrier orders, whatever the order in
/// which they happened to run. Also guards bytes that cp.async still writes.</summary>
internal sealed unsafe class SharedRaces : IDisposable
{
    // A stamp tells who accessed a granule when: the interval between barriers (28 bits), the interval between barriers
    // of the warp (20), the thread (10), flags (6). Later intervals make greater stamps.
    private const int EpochShift = 36, WarpEpochShift = 16, ThreadShift = 6;
    private const ulong Atomic = 1, InFlight = 2;

    /// <summary>Other lanes of the warp read it too; other warps read it too.</summary>
    private const ulong SeveralLanes = 4, SeveralWarps = 8;

    private readonly BlockRunner _block;
    private readonly int _shift;
    private readonly Cell* _cells;
    private ulong _epoch = 1ul << EpochShift;
    private ulong _firstEpoch = 1ul << EpochShift;

    /// <param name="granule">Bytes of the smallest access of the kernel.</param>
    public SharedRaces(BlockRunner block, int granule)
    {
        _block = block;
        _shift = int.Log2(granule);
        _cells = (Cell*)NativeMemory.AllocZeroed(
            (nuint)((block.Launch.SharedBytes >> _shift) + 1), (nuint)sizeof(Cell));
    }

    /// <summary>The last write and the last read of a granule, and the instructions that did them.</summary>
    private struct Cell
    {
        public ulong Write;
        public ulong Read;
        public int WriteOp;
        public int ReadOp;
    }

    public void StartBlock()
    {
        NextEpoch();
        _firstEpoch = _epoch;
    }

    /// <summary>All threads have passed a barrier.</summary>
    public void NextEpoch() => _epoch += 1ul << EpochShift;

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
            if ((_cells[cell].Write & InFlight) != 0) _cells[cell].Write = stamp;
    }

    // The stamp of lane 0.
    private ulong Stamp(Warp warp) =>
        _epoch | (ulong)(warp.WarpEpoch & 0xFFFFF) << WarpEpochShift | (ulong)(uint)(warp.Index * 32) << ThreadShift;

    private void CheckReads(Warp warp, Op* op)
    {
        var stamp = Stamp(warp);
        var rest = warp.Mask;
        if (warp.Pattern == AccessPattern.Uniform) rest = 3;  // further lanes add nothing to the second
        while (rest != 0)
        {
            var lane = Lanes.TakeLowest(ref rest);
            var own = stamp | (ulong)(uint)lane << ThreadShift;
            var last = _cells + (warp.Offsets[lane] + (uint)op->Bytes - 1 >> _shift);
            for (var cell = _cells + (warp.Offsets[lane] >> _shift); cell <= last; cell++)
            {
                if ((cell->Write >= _epoch || (cell->Write & InFlight) != 0) && Conflicts(cell->Write, own))
                    throw Race(warp, op, lane, cell->Write, cell->WriteOp, "written");
                var read = cell->Read;
                if (read >= _epoch)
                {
                    if ((read & SeveralWarps) != 0 || read == own) continue;
                    cell->Read = Join(read, own);
                }
                else
                    cell->Read = own;
                cell->ReadOp = op->Index;
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
            var last = _cells + (warp.Offsets[lane] + (uint)op->Bytes - 1 >> _shift);
            for (var cell = _cells + (warp.Offsets[lane] >> _shift); cell <= last; cell++)
            {
                var write = cell->Write;
                if ((write >= _epoch || (write & InFlight) != 0) && (flags & write & Atomic) == 0
                    && Conflicts(write, own)
                    && !WritesSame(warp, op, lane, cell))
                    throw Race(warp, op, lane, write, cell->WriteOp, "written");
                if (cell->Read >= _epoch && ReadElsewhere(cell->Read, own))
                    throw Race(warp, op, lane, cell->Read, cell->ReadOp, "read");
                cell->Write = own | flags;
                cell->WriteOp = op->Index;
            }
        }
    }

    // A second reader in the same interval. Earlier reads of the same warp are ordered before its next barrier.
    private static ulong Join(ulong read, ulong own)
    {
        if (WarpOf(read) != WarpOf(own)) return own | SeveralWarps;
        if (!SameWarpEpoch(read, own)) return own;
        return own | read & SeveralLanes | (ThreadOf(read) != ThreadOf(own) ? SeveralLanes : 0);
    }

    // A write in this interval, or one in flight since this block began.
    private bool Conflicts(ulong write, ulong own)
    {
        if ((write & InFlight) != 0) return write >= _firstEpoch;
        return ThreadOf(write) != ThreadOf(own) && (WarpOf(write) != WarpOf(own) || SameWarpEpoch(write, own));
    }

    private static bool ReadElsewhere(ulong read, ulong own) =>
        (read & SeveralWarps) != 0 || WarpOf(read) != WarpOf(own)
        || SameWarpEpoch(read, own) && (ThreadOf(read) != ThreadOf(own) || (read & SeveralLanes) != 0);

    private static int ThreadOf(ulong stamp) => (int)(stamp >> ThreadShift) & 1023;

    private static int WarpOf(ulong stamp) => ThreadOf(stamp) >> 5;

    private static bool SameWarpEpoch(ulong a, ulong b) => ((a ^ b) >> WarpEpochShift & 0xFFFFF) == 0;

    // Lanes of one store that write the same bits to the same place are allowed to.
    private static bool WritesSame(Warp warp, Op* op, int lane, Cell* cell)
    {
        var (other, otherWarp) = (ThreadOf(cell->Write) & 31, WarpOf(cell->Write));
        if (op->Access != Access.Write || cell->WriteOp != op->Index || otherWarp != warp.Index) return false;
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

    private SimulationException Race(Warp warp, Op* op, int lane, ulong other, int otherOp, string done)
    {
        var address = BlockRunner.FirstShared + warp.Offsets[lane];
        var program = _block.Launch.Program;
        var variable = program.SharedVariableAt((int)warp.Offsets[lane]);
        if ((other & InFlight) != 0)
            return _block.Fault(FaultKind.CopyInFlight, warp, op, lane,
                $"shared address 0x{address:X} is touched while cp.async of thread {ThreadOf(other)} (" +
                $"{program.Location(otherOp)}) may still write it; wait for the copy's group first.",
                address, variable);
        return _block.Fault(FaultKind.SharedMemoryRace, warp, op, lane,
            $"shared address 0x{address:X} was {done} by thread {ThreadOf(other)} ({program.Location(otherOp)}) and " +
            $"no barrier stands between that and this access by thread {warp.Index * 32 + lane}.", address, variable);
    }

    public void Dispose() => NativeMemory.Free(_cells);
}
