using System.Numerics;
using PtxSimulator.Execution;

namespace PtxSimulator.Counting;

/// <summary>Counts the passes that an access to shared memory takes: 32 banks of 4 bytes; 8-byte accesses go by half
/// warps, 16-byte accesses by quarters; lanes that read the same word share it.</summary>
internal static unsafe class BankConflicts
{
    public static void Count(Warp warp, Op* op, OpCounter* counter)
    {
        counter->SharedBytes += op->Bytes * BitOperations.PopCount(warp.Mask);
        var lanes = op->Bytes <= 4 ? 32 : 128 / op->Bytes;
        if (warp.Pattern != AccessPattern.Scattered)
        {
            var passes = warp.Pattern == AccessPattern.Uniform ? 1 : 32 / lanes;
            counter->Cycles += passes;
            counter->IdealCycles += passes;
            return;
        }
        for (var first = 0; first < 32; first += lanes)
        {
            var active = warp.Mask >> first & (uint)((1ul << lanes) - 1);
            if (active == 0) continue;
            counter->IdealCycles++;
            counter->Cycles += Passes(warp.Offsets + first, active, op->Bytes);
        }
    }

    // The most different words that one bank must deliver.
    private static int Passes(uint* offsets, uint active, int bytes)
    {
        // Words that a bank was asked for so far, as lists that start at a head; 72 words at most.
        var heads = stackalloc byte[32];
        var next = stackalloc byte[73];
        var words = stackalloc uint[73];
        var counts = stackalloc byte[32];
        var (used, most) = (0, 0);
        for (; active != 0; active &= active - 1)
        {
            var offset = offsets[BitOperations.TrailingZeroCount(active)];
            for (var word = offset / 4; word <= (offset + (uint)bytes - 1) / 4; word++)
            {
                var bank = word & 31;
                int entry = heads[bank];
                while (entry != 0 && words[entry] != word) entry = next[entry];
                if (entry != 0) continue;
                words[++used] = word;
                next[used] = heads[bank];
                heads[bank] = (byte)used;
                most = Math.Max(most, ++counts[bank]);
            }
        }
        return most;
    }
}
