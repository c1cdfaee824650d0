namespace PtxSimulator.Execution;

/// <summary>Sees to it that the four warps of each warpgroup give the same wgmma instructions.</summary>
internal sealed unsafe class Warpgroups(int warps)
{
    private readonly List<(int Op, ulong A, ulong B)>[] _products =
        [.. Enumerable.Range(0, (warps + 3) / 4).Select(_ => new List<(int, ulong, ulong)>())];

    public void StartBlock()
    {
        foreach (var group in _products) group.Clear();
    }

    /// <summary>The next instruction of a warp.</summary>
    public void Next(Warp warp, Op* op, ulong a, ulong b)
    {
        var group = _products[warp.Index / 4];
        if (warp.Index / 4 * 4 + 4 > warp.Block.Warps.Length)
            throw warp.Block.Fault(FaultKind.InvalidOperand, warp, op, 0, "the block ends within this warpgroup.");
        var count = warp.Products!.Count++;
        if (count == group.Count) group.Add((op->Index, a, b));
        else if (group[count] != (op->Index, a, b))
        {
            throw warp.Block.Fault(FaultKind.WarpDivergence, warp, op, 0,
                $"wgmma number {count} of this warp and of another of its warpgroup (" +
                $"{warp.Block.Launch.Program.Location(group[count].Op)}) differ: descriptors 0x{a:X} and 0x{b:X} " +
                $"here, 0x{group[count].A:X} and 0x{group[count].B:X} there.");
        }
    }

    public void EndBlock(BlockRunner block)
    {
        foreach (var warp in block.Warps)
        {
            if (warp.Products is { } products && products.Count != _products[warp.Index / 4].Count)
                throw Fault(block, FaultKind.WarpDivergence,
                    $"warp {warp.Index} gave {products.Count} wgmma instructions and another of its warpgroup " +
                    $"{_products[warp.Index / 4].Count}.");
            if (warp.Stores.IsReading)
                throw Fault(block, FaultKind.CopyInFlight,
                    $"warp {warp.Index} has ended while bulk copies may still read its block's shared memory; " +
                    "wait for their groups first.");
        }
    }

    private static SimulationException Fault(BlockRunner block, FaultKind kind, string what) =>
        new(kind, what) { Block = block.BlockIndex };
}
