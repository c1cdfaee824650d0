using System.Numerics;
using PtxSimulator.Execution;
using PtxSimulator.Instructions;
using PtxSimulator.Memory;
using PtxSimulator.Parsing;

namespace PtxSimulator.Checking;

/// <summary>Says what is wrong with an access.</summary>
internal static unsafe class AccessFault
{
    public static SimulationException Outside(Warp warp, Op* op, uint lanes, StateSpace space) =>
        Fault(FaultKind.OutOfBounds, warp, op, BitOperations.TrailingZeroCount(lanes), space, "leaves the memory");

    public static SimulationException Misaligned(Warp warp, Op* op, uint lanes, StateSpace space) =>
        Fault(FaultKind.Misaligned, warp, op, BitOperations.TrailingZeroCount(lanes), space,
            $"is not aligned to {op->Bytes} bytes");

    /// <summary>Finds the first lane and byte that is not in the state demanded.</summary>
    public static SimulationException Undemanded(
        Warp warp, Op* op, ByteState* state, ByteState demands, StateSpace space)
    {
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            for (var i = 0; i < op->Bytes; i++)
            {
                var found = state[warp.Offsets[lane] + i];
                if ((found & demands) == demands) continue;
                return found.HasFlag(ByteState.Freed)
                    ? Fault(FaultKind.UseAfterFree, warp, op, lane, space, "touches freed memory", i)
                    : !found.HasFlag(ByteState.Allocated)
                        ? Fault(FaultKind.OutOfBounds, warp, op, lane, space, "is outside of every allocation", i)
                    : Fault(FaultKind.UninitializedRead, warp, op, lane, space, "reads what nothing has written", i);
            }
        }
        throw new InvalidOperationException("Every byte is in the state demanded.");
    }

    private static SimulationException Fault(
        FaultKind kind, Warp warp, Op* op, int lane, StateSpace space, string what, int byteOfAccess = 0)
    {
        var address = Address(warp, op, lane, space);
        var verb = op->Access == Access.Read ? "read" : op->Access.HasFlag(Access.Atomic) ? "atomic access" : "write";
        var allocation = space switch
        {
            StateSpace.Global => warp.Block.Launch.Memory.Describe(address + (ulong)byteOfAccess),
            StateSpace.Shared =>
                $"shared memory: {warp.Block.Launch.SharedBytes} bytes from 0x{BlockRunner.FirstShared:X} on",
            StateSpace.Local => $"local memory: {warp.Block.Launch.Program.LocalBytes} bytes per thread",
            _ => $"parameters: {warp.Block.Launch.Parameters.Length} bytes",
        };
        return warp.Block.Fault(kind, warp, op, lane,
            $"{verb} of {op->Bytes} bytes at {space.ToString().ToLowerInvariant()} address 0x{address:X} {what}.",
                address, allocation);
    }

    private static ulong Address(Warp warp, Op* op, int lane, StateSpace space)
    {
        var registers = warp.Registers + op->A;
        var narrow = space != StateSpace.Global && op->AddressBytes == 4;
        var address = narrow ? ((uint*)registers)[lane] : ((ulong*)registers)[lane];
        return narrow ? (uint)(address + (ulong)op->Immediate) : address + (ulong)op->Immediate;
    }
}
