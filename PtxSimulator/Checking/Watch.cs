using System.Numerics;
using System.Runtime.Intrinsics;
using PtxSimulator.Counting;
using PtxSimulator.Execution;
using PtxSimulator.Instructions;
using PtxSimulator.Memory;
using PtxSimulator.Parsing;

namespace PtxSimulator.Checking;

/// <summary>Checks and counts an access whose offsets are known.</summary>
internal static unsafe class Watch
{
    public static void Global(Warp warp, Op* op)
    {
        var block = warp.Block;
        var state = warp.Block.Launch.Memory.State;
        Check(warp, op, state, StateSpace.Global);
        if (block.Counters != null) block.Sectors!.Count(warp, op, block.Counters + op->Index);
    }

    public static void Shared(Warp warp, Op* op)
    {
        var block = warp.Block;
        Check(warp, op, block.SharedState, StateSpace.Shared);
        block.Races?.Check(warp, op);
        if (block.Counters != null) BankConflicts.Count(warp, op, block.Counters + op->Index);
    }

    public static void Local(Warp warp, Op* op)
    {
        var block = warp.Block;
        Check(warp, op, block.LocalState + (warp.Local - block.Local), StateSpace.Local);
        if (block.Counters != null)
            block.Counters[op->Index].LocalBytes += op->Bytes * BitOperations.PopCount(warp.Mask);
    }

    private static void Check(Warp warp, Op* op, ByteState* state, StateSpace space)
    {
        var launch = warp.Block.Launch;
        if (launch.ChecksBounds && (op->Bytes & op->Bytes - 1) == 0)
        {
            var misaligned = Misaligned(warp.Offsets, (uint)op->Bytes - 1) & warp.Mask;
            if (misaligned != 0) throw AccessFault.Misaligned(warp, op, misaligned, space);
        }
        var demands = (op->Access.HasFlag(Access.Read) ? launch.ReadDemands : 0)
            | (op->Access.HasFlag(Access.Write) ? launch.WriteDemands : 0);
        var writes = op->Access.HasFlag(Access.Write);
        if (warp.Pattern == AccessPattern.Contiguous)
        {
            if (demands != 0 && !Meets(state + warp.Offsets[0], 32 * op->Bytes, demands))
                throw AccessFault.Undemanded(warp, op, state, demands, space);
            if (writes) MarkWritten(state + warp.Offsets[0], 32 * op->Bytes);
            return;
        }
        for (var rest = warp.Pattern == AccessPattern.Uniform ? 1u : warp.Mask; rest != 0;)
        {
            var at = state + warp.Offsets[Lanes.TakeLowest(ref rest)];
            if (demands != 0 && !Meets(at, op->Bytes, demands))
                throw AccessFault.Undemanded(warp, op, state, demands, space);
            if (writes) MarkWritten(at, op->Bytes);
        }
    }

    private static uint Misaligned(uint* offsets, uint bits)
    {
        var mask = Vector512.Create(bits);
        var low = Vector512.Equals(Vector512.Load(offsets) & mask, Vector512<uint>.Zero).ExtractMostSignificantBits();
        var high = Vector512.Equals(Vector512.Load(offsets + 16) & mask, Vector512<uint>.Zero)
            .ExtractMostSignificantBits();
        return ~(uint)(low | high << 16);
    }

    /// <summary>Whether all bytes are in the state that is demanded.</summary>
    public static bool Meets(ByteState* state, int bytes, ByteState demands)
    {
        const ulong Ones = 0x0101_0101_0101_0101;
        var wanted = Ones * (byte)demands;
        for (; bytes >= 8; bytes -= 8, state += 8)
            if ((*(ulong*)state & wanted) != wanted) return false;
        for (; bytes > 0; bytes--, state++)
            if ((*state & demands) != demands) return false;
        return true;
    }

    public static void MarkWritten(ByteState* state, int bytes)
    {
        const ulong Written = 0x0202_0202_0202_0202;
        for (; bytes >= 8; bytes -= 8, state += 8) *(ulong*)state |= Written;
        for (; bytes > 0; bytes--, state++) *state |= ByteState.Written;
    }
}
