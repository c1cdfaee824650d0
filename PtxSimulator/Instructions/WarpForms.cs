using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
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
        table.Add("elect.sync", &Elect, "Ww", WarpClass);
        table.Add("activemask.b32", &ActiveMask, "W", WarpClass);
        table.Add("shfl.sync.up.b32", &Shuffle, "Wwwww", WarpClass, (long)ShuffleMode.Up);
        table.Add("shfl.sync.down.b32", &Shuffle, "Wwwww", WarpClass, (long)ShuffleMode.Down);
        table.Add("shfl.sync.bfly.b32", &Shuffle, "Wwwww", WarpClass, (long)ShuffleMode.Butterfly);
        table.Add("shfl.sync.idx.b32", &Shuffle, "Wwwww", WarpClass, (long)ShuffleMode.Index);
        table.Add("vote.sync.any.pred", &Vote<Any>, "Ppw", WarpClass);
        table.Add("vote.sync.all.pred", &Vote<All>, "Ppw", WarpClass);
        table.Add("vote.sync.uni.pred", &Vote<Uniform>, "Ppw", WarpClass);
        table.Add("vote.sync.ballot.b32", &Ballot, "Wpw", WarpClass);
        table.Add("match.any.sync.b32", &MatchAny<uint>, "Www", WarpClass);
        table.Add("match.any.sync.b64", &MatchAny<ulong>, "Wdw", WarpClass);
        table.Add("redux.sync.add.s32", &Reduce<int, Sum<int>>, "Www", WarpClass);
        table.Add("redux.sync.add.u32", &Reduce<int, Sum<int>>, "Www", WarpClass);
        table.Add("redux.sync.min.s32", &Reduce<int, Least<int>>, "Www", WarpClass);
        table.Add("redux.sync.min.u32", &Reduce<uint, Least<uint>>, "Www", WarpClass);
        table.Add("redux.sync.max.s32", &Reduce<int, Greatest<int>>, "Www", WarpClass);
        table.Add("redux.sync.max.u32", &Reduce<uint, Greatest<uint>>, "Www", WarpClass);
        table.Add("redux.sync.and.b32", &Reduce<uint, And<uint>>, "Www", WarpClass);
        table.Add("redux.sync.or.b32", &Reduce<uint, Or<uint>>, "Www", WarpClass);
        table.Add("redux.sync.xor.b32", &Reduce<uint, Xor<uint>>, "Www", WarpClass);
    }

    private enum ShuffleMode { Up, Down, Butterfly, Index }

    // Whether all lanes of the member mask are here; if not, these wait for the others.
    private static bool Gather(Warp warp, Op* op, int maskSlot)
    {
        var masks = (uint*)(warp.Registers + maskSlot);
        if (warp.Mask == ~0u
            && Vector512.EqualsAll(Vector512.Load(masks) & Vector512.Load(masks + 16), Vector512<uint>.AllBitsSet))
            return true;
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

    // One lane of those that take part, the lowest here: its number to all, true to itself.
    private static void Elect(Warp warp, Op* op)
    {
        if (!Gather(warp, op, op->A)) return;
        var leader = BitOperations.TrailingZeroCount(warp.Mask);
        if (op->D >= 0)
        {
            var d = (uint*)(warp.Registers + op->D);
            for (var rest = warp.Mask; rest != 0;) d[Lanes.TakeLowest(ref rest)] = (uint)leader;
        }
        if (op->V[0] < 0) return;
        var predicate = (uint*)(warp.Registers + op->V[0]);
        *predicate = *predicate & ~warp.Mask | 1u << leader;
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
        var (sources, values) = (new Lane32<uint>(), new Lane32<uint>());
        var inRange = 0u;
        for (var first = 0; first < 32; first += 16)
        {
            var valid = FindSources(warp, op, first, (uint*)&sources);
            inRange |= (uint)valid.ExtractMostSignificantBits() << first;
            Vector512.Load((uint*)(warp.Registers + op->A) + first).Store((uint*)&values + first);
        }
        if (warp.Mask != ~0u && warp.Block.Launch.Options.Checks.HasFlag(Checks.Barriers))
            CheckSources(warp, op, (uint*)&sources);
        var d = (uint*)(warp.Registers + op->D);
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            d[lane] = values[(int)sources[lane]];
        }
        if (op->V[0] < 0) return;
        var predicate = (uint*)(warp.Registers + op->V[0]);
        *predicate = *predicate & ~warp.Mask | inRange & warp.Mask;
    }

    [InlineArray(32)]
    private struct Lane32<T>
    {
        private T _first;
    }

    // The lanes that 16 lanes read, themselves where their source is out of range; returns where it is in range.
    private static Vector512<uint> FindSources(Warp warp, Op* op, int first, uint* sources)
    {
        var lanes = Vector512<uint>.Indices + Vector512.Create((uint)first);
        var mask = Vector512.Create(31u);
        var b = Vector512.Load((uint*)(warp.Registers + op->B) + first) & mask;
        var c = Vector512.Load((uint*)(warp.Registers + op->C) + first);
        var (clamp, segment) = (c & mask, c >> 8 & mask);
        var bound = lanes & segment | Vector512.AndNot(clamp, segment);
        var source = (ShuffleMode)op->Immediate switch
        {
            ShuffleMode.Up => lanes - b,
            ShuffleMode.Down => lanes + b,
            ShuffleMode.Butterfly => lanes ^ b,
            _ => lanes & segment | Vector512.AndNot(b, segment),
        };
        var valid = (ShuffleMode)op->Immediate == ShuffleMode.Up
            ? Vector512.GreaterThanOrEqual(source.AsInt32(), bound.AsInt32()).AsUInt32()
            : Vector512.LessThanOrEqual(source, bound);
        Vector512.ConditionalSelect(valid, source, lanes).Store(sources + first);
        return valid;
    }

    private static void CheckSources(Warp warp, Op* op, uint* sources)
    {
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            if ((warp.Mask >> (int)sources[lane] & 1) == 0)
                throw warp.Block.Fault(FaultKind.WarpDivergence, warp, op, lane,
                    $"lane {lane} reads lane {sources[lane]}, which does not take part (lanes 0x{warp.Mask:X8} do).");
        }
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

    private static void Reduce<T, TOperation>(Warp warp, Op* op)
        where T : unmanaged where TOperation : struct, IBinary<T, T>
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
        public static bool Of(uint votes, uint voters) => votes != 0;
    }

    private readonly struct All : IVote
    {
        public static bool Of(uint votes, uint voters) => votes == voters;
    }

    private readonly struct Uniform : IVote
    {
        public static bool Of(uint votes, uint voters) => votes == voters || votes == 0;
    }
}
