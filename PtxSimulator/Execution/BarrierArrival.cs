using System.Numerics;

namespace PtxSimulator.Execution;

/// <summary>Who has arrived at a barrier of the block.</summary>
internal readonly unsafe ref struct BarrierArrival
{
    private readonly BlockRunner _block;
    private readonly uint _barrier;

    public BarrierArrival(BlockRunner block, Op* op)
    {
        (_block, _barrier) = (block, (uint)op->Immediate);
        var (living, count) = (0, 0);
        foreach (var warp in block.Warps)
        {
            living += BitOperations.PopCount(warp.Alive);
            if (!Waits(warp)) continue;
            Arrived += BitOperations.PopCount(warp.Alive);
            count = warp.Barrier->Count;
        }
        IsComplete = Arrived >= (count == 0 ? living : count);
        Missing = count == 0 ? (int)block.Launch.Block.Count - Arrived : 0;
    }

    public int Arrived { get; }

    public bool IsComplete { get; }

    /// <summary>Threads of the block that a barrier of the whole block misses.</summary>
    public int Missing { get; }

    /// <summary>Lets all who wait go on, with the result where the barrier reduces a predicate.</summary>
    public void Release()
    {
        var (votes, voters, met) = (0, 0, 0);
        Span<int> meeting = stackalloc int[_block.Warps.Length];
        foreach (var warp in _block.Warps)
        {
            if (!Waits(warp)) continue;
            meeting[met++] = warp.Index;
            warp.WarpEpoch++;
            votes += BitOperations.PopCount(Votes(warp));
            voters += BitOperations.PopCount(warp.Alive);
        }
        _block.Races?.Clocks.Meet(meeting[..met]);
        foreach (var warp in _block.Warps)
        {
            if (!Waits(warp)) continue;
            var op = warp.Barrier;
            switch ((BarrierReduction)op->E)
            {
                case BarrierReduction.Count: FillWords(warp, votes); break;
                case BarrierReduction.All: FillPredicate(warp, votes == voters); break;
                case BarrierReduction.Any: FillPredicate(warp, votes > 0); break;
                default: break;
            }
            warp.Resume(_block.Schedule.Turn);
        }
    }

    private bool Waits(Warp warp) => warp.Barrier != null && (uint)warp.Barrier->Immediate == _barrier;

    private static uint Votes(Warp warp) =>
        (*(uint*)(warp.Registers + warp.Barrier->A) ^ warp.Barrier->Flip) & warp.Alive;

    private static void FillWords(Warp warp, int value)
    {
        var destination = (int*)(warp.Registers + warp.Barrier->D);
        for (var lane = 0; lane < 32; lane++)
            if ((warp.Alive >> lane & 1) != 0) destination[lane] = value;
    }

    private static void FillPredicate(Warp warp, bool value)
    {
        var destination = (uint*)(warp.Registers + warp.Barrier->D);
        *destination = *destination & ~warp.Alive | (value ? warp.Alive : 0);
    }
}

internal enum BarrierReduction { None, Count, All, Any }
