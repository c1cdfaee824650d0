using System.Runtime.InteropServices;
using PtxSimulator.Execution;
using PtxSimulator.Instructions;

namespace PtxSimulator.Checking;

/// <summary>Finds pairs of accesses to shared memory by different threads that no barrier orders, whatever the order in
/// which they happened to run. Also guards bytes that cp.async still writes.</summary>
internal sealed unsafe class SharedRaces : IDisposable
{
    private const int WarpEpochBits = 20;

    private readonly BlockRunner _block;
    private readonly int _shift;
    private readonly Cell* _cells;
    private int _epoch = 1;
    private int _firstEpoch = 1;

    /// <param name="granule">Bytes of the smallest access of the kernel.</param>
    public SharedRaces(BlockRunner block, int granule)
    {
        _block = block;
        _shift = int.Log2(granule);
        _cells = (Cell*)NativeMemory.AllocZeroed((nuint)((block.Launch.SharedBytes >> _shift) + 1), (nuint)sizeof(Cell));
    }

    /// <summary>The last write and the last read of a granule.</summary>
    private struct Cell
    {
        public Stamp Write;
        public Stamp Read;
    }

    private struct Stamp
    {
        public int Epoch;
        public int WarpEpoch;
        public short Thread;
        public StampFlags Flags;
        public int Op;
    }

    [Flags]
    private enum StampFlags : short
    {
        None = 0,
        Atomic = 1,
        InFlight = 2,

        /// <summary>Other lanes of the warp read it too; other warps read it too.</summary>
        SeveralLanes = 4,
        SeveralWarps = 8,
    }

    public void StartBlock() => _firstEpoch = ++_epoch;

    /// <summary>All threads have passed a barrier.</summary>
    public void NextEpoch() => _epoch++;

    public void Check(Warp warp, Op* op)
    {
        var flags = op->Access == Access.Atomic ? StampFlags.Atomic : op->Access == Access.Copy ? StampFlags.InFlight : 0;
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            var first = warp.Offsets[lane] >> _shift;
            var last = warp.Offsets[lane] + (uint)op->Bytes - 1 >> _shift;
            for (var cell = first; cell <= last; cell++)
            {
                if (op->Access.HasFlag(Access.Write)) CheckWrite(warp, op, lane, _cells + cell, flags);
                else CheckRead(warp, op, lane, _cells + cell);
            }
        }
    }

    /// <summary>The thread has waited for its copy: from now on it is an ordinary write of this moment.</summary>
    public void Land(Warp warp, int lane, uint offset, int bytes)
    {
        for (var cell = offset >> _shift; cell <= offset + (uint)bytes - 1 >> _shift; cell++)
        {
            ref var write = ref _cells[cell].Write;
            if (!write.Flags.HasFlag(StampFlags.InFlight)) continue;
            (write.Epoch, write.WarpEpoch, write.Flags) = (_epoch, warp.WarpEpoch, 0);
        }
    }

    private void CheckRead(Warp warp, Op* op, int lane, Cell* cell)
    {
        var thread = warp.Index * 32 + lane;
        if (Conflicts(cell->Write, warp, thread)) throw Race(warp, op, lane, cell->Write, "written");
        ref var read = ref cell->Read;
        var flags = StampFlags.None;
        if (read.Epoch == _epoch)
        {
            flags = read.Flags & StampFlags.SeveralWarps;
            if (read.Thread >> 5 != warp.Index) flags |= StampFlags.SeveralWarps;
            else if (read.WarpEpoch == warp.WarpEpoch)
                flags |= read.Flags | (read.Thread != thread ? StampFlags.SeveralLanes : 0);
        }
        read = new Stamp { Epoch = _epoch, WarpEpoch = warp.WarpEpoch, Thread = (short)thread, Flags = flags, Op = op->Index };
    }

    private void CheckWrite(Warp warp, Op* op, int lane, Cell* cell, StampFlags flags)
    {
        var thread = warp.Index * 32 + lane;
        var bothAtomic = (flags & cell->Write.Flags & StampFlags.Atomic) != 0;
        if (!bothAtomic && Conflicts(cell->Write, warp, thread) && !WritesSame(warp, op, lane, cell->Write))
            throw Race(warp, op, lane, cell->Write, "written");
        var read = cell->Read;
        if (read.Epoch == _epoch && ReadElsewhere(read, warp, thread)) throw Race(warp, op, lane, read, "read");
        cell->Write = new Stamp { Epoch = _epoch, WarpEpoch = warp.WarpEpoch, Thread = (short)thread, Flags = flags, Op = op->Index };
    }

    private bool Conflicts(in Stamp write, Warp warp, int thread)
    {
        if (write.Flags.HasFlag(StampFlags.InFlight) && write.Epoch >= _firstEpoch) return true;
        if (write.Epoch != _epoch || write.Thread == thread) return false;
        return write.Thread >> 5 != warp.Index || write.WarpEpoch == warp.WarpEpoch;
    }

    private static bool ReadElsewhere(in Stamp read, Warp warp, int thread)
    {
        if (read.Flags.HasFlag(StampFlags.SeveralWarps) || read.Thread >> 5 != warp.Index) return true;
        return read.WarpEpoch == warp.WarpEpoch && (read.Thread != thread || read.Flags.HasFlag(StampFlags.SeveralLanes));
    }

    // Lanes of one store that write the same bits to the same place are allowed to.
    private static bool WritesSame(Warp warp, Op* op, int lane, in Stamp write)
    {
        var other = write.Thread & 31;
        if (op->Access != Access.Write || write.Op != op->Index || write.Thread >> 5 != warp.Index) return false;
        if ((warp.Mask >> other & 1) == 0 || warp.Offsets[other] != warp.Offsets[lane]) return false;
        for (var i = 0; i < op->Count; i++)
        {
            var source = warp.Registers + op->V[i];
            var same = op->E == 8 ? ((ulong*)source)[lane] == ((ulong*)source)[other] : ((uint*)source)[lane] == ((uint*)source)[other];
            if (!same) return false;
        }
        return true;
    }

    private SimulationException Race(Warp warp, Op* op, int lane, in Stamp other, string done)
    {
        var address = BlockRunner.FirstShared + warp.Offsets[lane];
        var program = _block.Launch.Program;
        var variable = program.SharedVariableAt((int)warp.Offsets[lane]);
        if (other.Flags.HasFlag(StampFlags.InFlight))
            return _block.Fault(FaultKind.CopyInFlight, warp, op, lane,
                $"shared address 0x{address:X} is touched while cp.async of thread {other.Thread} (" +
                $"{program.Location(other.Op)}) may still write it; wait for the copy's group first.", address, variable);
        return _block.Fault(FaultKind.SharedMemoryRace, warp, op, lane,
            $"shared address 0x{address:X} was {done} by thread {other.Thread} ({program.Location(other.Op)}) and no barrier " +
            $"stands between that and this access by thread {warp.Index * 32 + lane}.", address, variable);
    }

    public void Dispose() => NativeMemory.Free(_cells);
}
