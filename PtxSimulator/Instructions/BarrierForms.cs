using PtxSimulator.Execution;

namespace PtxSimulator.Instructions;

/// <summary>mbarrier: barriers in shared memory that count arrivals and bytes. Lane after lane.</summary>
internal static unsafe class BarrierForms
{
    /// <summary>mbarrier.init: arrivals in <see cref="Op.B"/>.</summary>
    public static void Initialize(Warp warp, Op* op)
    {
        op->Resolve(warp, op);
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            warp.Block.TransactionBarriers.Initialize(warp, op, lane, warp.Offsets[lane], Word(warp, op->B, lane));
        }
    }

    /// <summary>mbarrier.inval.</summary>
    public static void Invalidate(Warp warp, Op* op)
    {
        op->Resolve(warp, op);
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            warp.Block.TransactionBarriers.Invalidate(warp, op, lane, warp.Offsets[lane]);
        }
    }

    /// <summary>mbarrier.arrive, .arrive.expect_tx: arrivals in <see cref="Op.B"/>, bytes to announce first in
    /// <see cref="Op.C"/>, the phase to <see cref="Op.D"/>, unless that is negative.</summary>
    public static void Arrive(Warp warp, Op* op)
    {
        op->Resolve(warp, op);
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            var phase = warp.Block.TransactionBarriers.Arrive(
                warp, op, lane, warp.Offsets[lane], Word(warp, op->B, lane), Word(warp, op->C, lane));
            if (op->D >= 0) Lanes.Set(warp.Registers + op->D, lane, phase);
        }
    }

    /// <summary>mbarrier.expect_tx: bytes in <see cref="Op.B"/>.</summary>
    public static void Announce(Warp warp, Op* op)
    {
        op->Resolve(warp, op);
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            var barriers = warp.Block.TransactionBarriers;
            var barrier = barriers.Find(warp, op, lane, warp.Offsets[lane]);
            barriers.Announce(warp, op, lane, barrier, Word(warp, op->B, lane));
        }
    }

    /// <summary>mbarrier.test_wait, .try_wait: the phase in <see cref="Op.B"/>, 64 bits, or its parity, 32 bits.
    /// </summary>
    public static void Test<TParity>(Warp warp, Op* op) where TParity : struct, ISwitch
    {
        op->Resolve(warp, op);
        var over = 0u;
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            var phase = TParity.On ? Word(warp, op->B, lane) : Lanes.Get<ulong>(warp.Registers + op->B, lane);
            if (warp.Block.TransactionBarriers.IsOver(warp, op, lane, warp.Offsets[lane], phase, TParity.On))
                over |= 1u << lane;
        }
        var d = (uint*)(warp.Registers + op->D);
        *d = *d & ~warp.Mask | over;
    }

    /// <summary>fence.proxy.async: the asynchronous proxy sees what the warp did and knows.</summary>
    public static void FenceProxy(Warp warp, Op* op)
    {
        warp.Block.TransactionBarriers.Fence(warp);
        warp.Block.Races?.Clocks.Fence(warp.Index);
    }

    /// <summary>fence.mbarrier_init: the asynchronous proxy sees the mbarriers that the warp made.</summary>
    public static void FenceBarriers(Warp warp, Op* op) => warp.Block.TransactionBarriers.Fence(warp);

    private static uint Word(Warp warp, int place, int lane) => ((uint*)(warp.Registers + place))[lane];
}
