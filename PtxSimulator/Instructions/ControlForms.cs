using System.Numerics;
using PtxSimulator.Counting;
using PtxSimulator.Decoding;
using PtxSimulator.Execution;

namespace PtxSimulator.Instructions;

/// <summary>Branches, ends, barriers of the block, fences.</summary>
internal static unsafe class ControlForms
{
    private const InstructionClass Control = InstructionClass.Control;

    public static void Add(FormTable table)
    {
        table.Add("ret", &Exit, "", Control);
        table.Add("exit", &Exit, "", Control);
        table.Add("trap", &Trap, "", Control);
        table.Add("brkpt", &Trap, "", Control);
        table.Add("nanosleep.u32", &Nothing, "w", Control);
        // One warp at a time runs, and memory is one: fences order nothing that is not in order.
        foreach (var scope in new[] { "cta", "gl", "sys" }) table.Add($"membar.{scope}", &Nothing, "", Control);
        foreach (var scope in new[] { "cta", "gpu", "sys" })
            foreach (var order in new[] { "", ".sc", ".acq_rel" })
                table.Add($"fence{order}.{scope}", &Nothing, "", Control);
    }

    /// <summary>bra: to <see cref="Op.Immediate"/>.</summary>
    public static void Branch(Warp warp, Op* op) => warp.Branch((int)op->Immediate, op->Index);

    /// <summary>bra.uni: all lanes that run must agree.</summary>
    public static void BranchUniform(Warp warp, Op* op)
    {
        if (warp.Mask != warp.Active)
            throw warp.Block.Fault(FaultKind.WarpDivergence, warp, op, BitOperations.TrailingZeroCount(warp.Mask),
                $"bra.uni diverges: of lanes 0x{warp.Active:X8} only 0x{warp.Mask:X8} take it.");
        warp.Branch((int)op->Immediate, op->Index);
    }

    /// <summary>bar.sync, bar.red: the warp waits for the block. Identity in <see cref="Op.Immediate"/>, threads in
    /// <see cref="Op.Count"/> (0: all), reduction in <see cref="Op.E"/>.</summary>
    public static void Barrier(Warp warp, Op* op)
    {
        if (!warp.Gather(op, ~0u)) return;
        warp.Barrier = op;
        warp.Stop();
    }

    private static void Exit(Warp warp, Op* op) => warp.Exit();

    public static void Nothing(Warp warp, Op* op) { }

    private static void Trap(Warp warp, Op* op) => throw warp.Block.Fault(
        FaultKind.Trap, warp, op, BitOperations.TrailingZeroCount(warp.Mask), "the kernel trapped.");
}
