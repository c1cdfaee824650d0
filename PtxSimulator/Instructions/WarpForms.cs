using System.Numerics;
using PtxSimulator.Counting;
using PtxSimulator.Decoding;
using PtxSimulator.Execution;

namespace PtxSimulator.Instructions;

/// <summary>Shuffles, votes, matches and reductions among the lanes of a warp.</summary>
internal static unsafe class WarpForms
{
    private const InstructionClass WarpClass = InstructionClass.Warp;

    public static void Add(FormTable table)
    {
        table.Add("bar.warp.sync", &Synchronize, "w", WarpClass);
        table.Add("activemask.b32", &ActiveMask, "W", WarpClass);
        foreach (var (name, mode) in new[] { ("up", ShuffleMode.Up), ("down", ShuffleMode.Down), ("bfly", ShuffleMode.Butterfly), ("idx", ShuffleMode.Index) })
            table.Add($"shfl.sync.{name}.b32", &Shuffle, "Wwwww", WarpClass, (long)mode);
        table.Add("vote.sync.any.pred", &Vote<Any>, "Ppw", WarpClass);
        table.Add("vote.sync.all.pred", &Vote<All>, "Ppw", WarpClass);
        table.Add("vote.sync.uni.pred", &Vote<Uniform>, "Ppw", WarpClass);
        table.Add("vote.sync.ballot.b32", &Ballot, "Wpw", WarpClass);
        table.Add("match.any.sync.b32", &MatchAny<uint>, "Www", WarpClass);
        table.Add("match.any.sync.b64", &MatchAny<ulong>, "Wdw", WarpClass);
        table.Add("redux.sync.add.s32", &Reduce<int, Sum>, "Www", WarpClass);
        table.Add("redux.sync.add.u32", &Reduce<int, Sum>, "Www", WarpClass);
        table.Add("redux.sync.min.s32", &Reduce<int, Least>, "Www", WarpClass);
        table.Add("redux.sync.min.u32", &Reduce<uint, Least>, "Www", WarpClass);
        table.Add("redux.sync.max.s32", &Reduce<int, Greatest>, "Www", WarpClass);
        table.Add("redux.sync.max.u32", &Reduce<uint, Greatest>, "Www", WarpClass);
        table.Add("redux.sync.and.b32", &Reduce<uint, And>, "Www", WarpClass);
        table.Add("redux.sync.or.b32", &Reduce<uint, Or>, "Www", WarpClass);
        table.Add("redux.sync.xor.b32", &Reduce<uint, Xor>, "Www", WarpClass);
    }

    private enum ShuffleMode { Up, Down, Butterfly, Index }

    // Whether all lanes of the member mask are here; if not, these wait for the others.
    private static bool Gather(Warp warp, Op* op, int maskSlot)
    {
        var masks = (uint*)(warp.Registers + maskSlot);
        var first = BitOperations.TrailingZeroCount(warp.Mask);
        var members = masks[first];
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            if ((masks[lane] >> lane & 1) == 0)
                throw warp.Block.Fault(FaultKind.WarpDivergence, warp, op, lane,
                    $"lane {lane} is not in its own member mask 0x{masks[lane]:X8}.");
            if (masks[lane] != members)
                throw warp.Block.Fault(FaultKind.WarpDivergence, warp, op, lane,
                    $"lane {first} names the member mask 0x{members:X8} and lane {lane} 0x{masks[lane]:X8}; " +
                    "groups with masks of their own are not simulated.");
        }
        return warp.Gather(op, members);
    }

    private static void Synchronize(Warp warp, Op* op)
    {
        if (Gather(warp, op, op->A)) warp.WarpEpoch++;
    }

    private static void ActiveMask(Warp warp, Op* op)
    {
        var d = (uint*)(warp.Registers + op->D);
        for (var rest = warp.Mask; rest != 0;) d[Lanes.TakeLowest(ref rest)] = warp.Mask;
    }

    // a: value, b: distance or lane, c: clamp in the low bits and segment mask from bit 8 on, e: member mask.
    private static void Shuffle(Warp warp, Op* op)
    {
        if (!Gather(warp, op, op->E)) return;
        var d = (uint*)(warp.Registers + op->D);
        var a = (uint*)(warp.Registers + op->A);
        var b = (uint*)(warp.Registers + op->B);
        var c = (uint*)(warp.Registers + op->C);
        var checks = warp.Block.Launch.Options.Checks.HasFlag(Checks.Barriers);
        var values = stackalloc uint[32];
        for (var lane = 0; lane < 32; lane++) values[lane] = a[lane];
        var inRange = 0u;
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            var source = Source((ShuffleMode)op->Immediate, lane, (int)b[lane] & 31, c[lane], out var valid);
            if (valid) inRange |= 1u << lane;
            else source = lane;
            if (checks && (warp.Mask >> source & 1) == 0)
                throw warp.Block.Fault(FaultKind.WarpDivergence, warp, op, lane,
                    $"lane {lane} reads lane {source}, which does not take part (lanes 0x{warp.Mask:X8} do).");
            d[lane] = values[source];
        }
        if (op->V[0] < 0) return;
        var predicate = (uint*)(warp.Registers + op->V[0]);
        *predicate = *predicate & ~warp.Mask | inRange;
    }

    private static int Source(ShuffleMode mode, int lane, int b, uint c, out bool valid)
    {
        var (clamp, segment) = ((int)(c & 31), (int)(c >> 8 & 31));
        var (highest, lowest) = (lane & segment | clamp & ~segment, lane & segment);
        var source = mode switch
        {
            ShuffleMode.Up => lane - b,
            ShuffleMode.Down => lane + b,
            ShuffleMode.Butterfly => lane ^ b,
            _ => lowest | b & ~segment & 31,
        };
        valid = mode == ShuffleMode.Up ? source >= highest : source <= highest;
        return source;
    }

    private static void Vote<TKind>(Warp warp, Op* op) where TKind : struct, IVote
    {
        if (!Gather(warp, op, op->B)) return;
        var votes = (*(uint*)(warp.Registers + op->A) ^ op->Flip) & warp.Mask;
        var d = (uint*)(warp.Registers + op->D);
        *d = *d & ~warp.Mask | (TKind.Of(votes, warp.Mask) ? warp.Mask : 0);
    }

    private static void Ballot(Warp warp, Op* op)
    {
        if (!Gather(warp, op, op->B)) return;
        var votes = (*(uint*)(warp.Registers + op->A) ^ op->Flip) & warp.Mask;
        var d = (uint*)(warp.Registers + op->D);
        for (var rest = warp.Mask; rest != 0;) d[Lanes.TakeLowest(ref rest)] = votes;
    }

    private static void MatchAny<T>(Warp warp, Op* op) where T : unmanaged, IEquatable<T>
    {
        if (!Gather(warp, op, op->B)) return;
        var d = (uint*)(warp.Registers + op->D);
        var a = (T*)(warp.Registers + op->A);
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            var same = 0u;
            for (var others = warp.Mask; others != 0;)
            {
                var other = Lanes.TakeLowest(ref others);
                if (a[other].Equals(a[lane])) same |= 1u << other;
            }
            d[lane] = same;
        }
    }

    private static void Reduce<T, TOperation>(Warp warp, Op* op) where T : unmanaged where TOperation : struct, IBinary<T, T>
    {
        if (!Gather(warp, op, op->B)) return;
        var d = (T*)(warp.Registers + op->D);
        var a = (T*)(warp.Registers + op->A);
        var rest = warp.Mask;
        var result = a[Lanes.TakeLowest(ref rest)];
        while (rest != 0) result = TOperation.Of(result, a[Lanes.TakeLowest(ref rest)]);
        for (rest = warp.Mask; rest != 0;) d[Lanes.TakeLowest(ref rest)] = result;
    }

    private interface IVote
    {
        static abstract bool Of(uint votes, uint voters);
    }

    private readonly struct Any : IVote
    {
        static bool IVote.Of(uint votes, uint voters) => votes != 0;
    }

    private readonly struct All : IVote
    {
        static bool IVote.Of(uint votes, uint voters) => votes == voters;
    }

    private readonly struct Uniform : IVote
    {
        static bool IVote.Of(uint votes, uint voters) => votes == voters || votes == 0;
    }

    private readonly struct Sum : IBinary<int, int>
    {
        static int IBinary<int, int>.Of(int a, int b) => unchecked(a + b);
    }

    private readonly struct Least : IBinary<int, int>, IBinary<uint, uint>
    {
        static int IBinary<int, int>.Of(int a, int b) => Math.Min(a, b);
        static uint IBinary<uint, uint>.Of(uint a, uint b) => Math.Min(a, b);
    }

    private readonly struct Greatest : IBinary<int, int>, IBinary<uint, uint>
    {
        static int IBinary<int, int>.Of(int a, int b) => Math.Max(a, b);
        static uint IBinary<uint, uint>.Of(uint a, uint b) => Math.Max(a, b);
    }

    private readonly struct And : IBinary<uint, uint>
    {
        static uint IBinary<uint, uint>.Of(uint a, uint b) => a & b;
    }

    private readonly struct Or : IBinary<uint, uint>
    {
        static uint IBinary<uint, uint>.Of(uint a, uint b) => a | b;
    }

    private readonly struct Xor : IBinary<uint, uint>
    {
        static uint IBinary<uint, uint>.Of(uint a, uint b) => a ^ b;
    }
}
