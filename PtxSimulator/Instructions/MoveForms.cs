using System.Runtime.Intrinsics;
using PtxSimulator.Counting;
using PtxSimulator.Decoding;
using PtxSimulator.Execution;

namespace PtxSimulator.Instructions;

/// <summary>Moves, selections, logic of predicates.</summary>
internal static unsafe class MoveForms
{
    private const InstructionClass Move = InstructionClass.Move;

    public static void Add(FormTable table)
    {
        foreach (var type in new[] { "b16", "u16", "s16" })
        {
            table.Add($"mov.{type}", &Elementwise.Unary<uint, Same<uint>>, "Hh", Move);
            table.Add($"selp.{type}", &Select<uint>, "Hhhp", Move);
        }
        foreach (var type in new[] { "b32", "u32", "s32", "f32" })
        {
            table.Add($"mov.{type}", &Elementwise.Unary<uint, Same<uint>>, "Ww", Move);
            table.Add($"selp.{type}", &Select<uint>, "Wwwp", Move);
        }
        foreach (var type in new[] { "b64", "u64", "s64", "f64" })
        {
            table.Add($"mov.{type}", &Elementwise.Unary<ulong, Same<ulong>>, "Dd", Move);
            table.Add($"selp.{type}", &Select<ulong>, "Dddp", Move);
        }
        table.Add("mov.pred", &Predicate<First>, "Pp", Move);
        table.Add("and.pred", &Predicate<And<uint>>, "Ppp", InstructionClass.Logic);
        table.Add("or.pred", &Predicate<Or<uint>>, "Ppp", InstructionClass.Logic);
        table.Add("xor.pred", &Predicate<Xor<uint>>, "Ppp", InstructionClass.Logic);
        table.Add("not.pred", &Predicate<Not>, "Pp", InstructionClass.Logic);
        // Addresses of global and constant memory are generic addresses.
        foreach (var to in new[] { "", ".to" })
            foreach (var space in new[] { "global", "const" })
                table.Add($"cvta{to}.{space}.u64", &Elementwise.Unary<ulong, Same<ulong>>, "Dd", Move);
        AddWindow(table, "shared", (long)Addressing.SharedWindow);
        AddWindow(table, "local", (long)Addressing.LocalWindow);
        AddWindow(table, "param", (long)Addressing.ParameterWindow);
    }

    private static void AddWindow(FormTable table, string space, long window)
    {
        table.Add($"cvta.{space}.u64", &Offset, "Dd", Move, window);
        table.Add($"cvta.to.{space}.u64", &Offset, "Dd", Move, -window);
    }

    /// <summary>mov.b64 {a, b}, c: takes a register apart. The parts stand in <see cref="Op.V"/>, -1 for
    /// none.</summary>
    public static void Unpack<TPart, TWhole>(Warp warp, Op* op) where TPart : unmanaged where TWhole : unmanaged
    {
        var whole = (TWhole*)(warp.Registers + op->A);
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            var value = whole[lane];
            for (var i = 0; i < op->Count; i++)
                if (op->V[i] >= 0) Lanes.Set(warp.Registers + op->V[i], lane, ((TPart*)&value)[i]);
        }
    }

    /// <summary>mov.b64 c, {a, b}: puts a register together.</summary>
    public static void Pack<TPart, TWhole>(Warp warp, Op* op) where TPart : unmanaged where TWhole : unmanaged
    {
        var whole = (TWhole*)(warp.Registers + op->D);
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            TWhole value = default;
            for (var i = 0; i < op->Count; i++) ((TPart*)&value)[i] = Lanes.Get<TPart>(warp.Registers + op->V[i], lane);
            whole[lane] = value;
        }
    }

    /// <summary>The number of instructions so far stands in for the clock.</summary>
    public static void Clock<T>(Warp warp, Op* op) where T : unmanaged
    {
        var clock = warp.Block.Clock += 16;
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            if (sizeof(T) == 8) Lanes.Set(warp.Registers + op->D, lane, clock);
            else Lanes.Set(warp.Registers + op->D, lane, (int)clock);
        }
    }

    private static void Select<T>(Warp warp, Op* op) where T : unmanaged
    {
        var d = warp.Registers + op->D;
        var a = warp.Registers + op->A;
        var b = warp.Registers + op->B;
        var chosen = *(uint*)(warp.Registers + op->C) ^ op->Flip;
        for (var i = 0; i < 32 * sizeof(T); i += 64)
        {
            var value = Vector512.ConditionalSelect(
                Lanes.Chosen<T>(chosen, i), Vector512.Load((T*)(a + i)), Vector512.Load((T*)(b + i)));
            Lanes.Put(d, i, value, warp.Mask);
        }
    }

    private static void Predicate<TOperation>(Warp warp, Op* op) where TOperation : struct, IBinary<uint, uint>
    {
        var a = *(uint*)(warp.Registers + op->A);
        var b = *(uint*)(warp.Registers + op->B);
        var d = (uint*)(warp.Registers + op->D);
        *d = *d & ~warp.Mask | TOperation.Of(a, b) & warp.Mask;
    }

    private static void Offset(Warp warp, Op* op)
    {
        var d = warp.Registers + op->D;
        var a = (long*)(warp.Registers + op->A);
        for (var i = 0; i < 32; i += 8)
            Lanes.Put(d, i * 8, Vector512.Load(a + i) + Vector512.Create(op->Immediate), warp.Mask);
    }

    private readonly struct Same<T> : IUnary<T>
    {
        public static Vector512<T> Of(Vector512<T> a) => a;
    }

    private readonly struct First : IBinary<uint, uint>
    {
        public static uint Of(uint a, uint b) => a;
    }

    private readonly struct Not : IBinary<uint, uint>
    {
        public static uint Of(uint a, uint b) => ~a;
    }
}
