using System.Numerics;
using System.Runtime.Intrinsics;
using PtxSimulator.Counting;
using PtxSimulator.Decoding;
using PtxSimulator.Execution;

namespace PtxSimulator.Instructions;

/// <summary>Integer arithmetic.</summary>
internal static unsafe class IntegerForms
{
    private const InstructionClass Integer = InstructionClass.Integer;

    public static void Add(FormTable table)
    {
        AddWord<int>(table, "s32", "Ww", "Www", "Wwww");
        AddWord<uint>(table, "u32", "Ww", "Www", "Wwww");
        AddWord<long>(table, "s64", "Dd", "Ddd", "Dddd");
        AddWord<ulong>(table, "u64", "Dd", "Ddd", "Dddd");
        AddShort<short>(table, "s16");
        AddShort<ushort>(table, "u16");
        AddSigned<int>(table, "s32", "Ww");
        AddSigned<long>(table, "s64", "Dd");
        AddSigned<short>(table, "s16", "Hh");
        AddWide(table);
        AddBits(table);
        AddDot(table);
    }

    private static void AddWord<T>(FormTable table, string type, string one, string two, string three)
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        table.Add($"add.{type}", &Elementwise.Binary<T, Sum<T>>, two, Integer);
        table.Add($"sub.{type}", &Elementwise.Binary<T, Difference<T>>, two, Integer);
        table.Add($"mul.lo.{type}", &Elementwise.Binary<T, Product<T>>, two, Integer);
        table.Add($"mad.lo.{type}", &Elementwise.Ternary<T, ProductSum<T>>, three, Integer);
        table.Add($"min.{type}", &Elementwise.Binary<T, Least<T>>, two, Integer);
        table.Add($"max.{type}", &Elementwise.Binary<T, Greatest<T>>, two, Integer);
        AddEach<T>(table, type, two, three);
    }

    private static void AddShort<T>(FormTable table, string type)
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        table.Add($"add.{type}", &Elementwise.BinaryEach<T, T, Sum<T>>, "Hhh", Integer);
        table.Add($"sub.{type}", &Elementwise.BinaryEach<T, T, Difference<T>>, "Hhh", Integer);
        table.Add($"mul.lo.{type}", &Elementwise.BinaryEach<T, T, Product<T>>, "Hhh", Integer);
        table.Add($"mad.lo.{type}", &Elementwise.TernaryEach<T, T, ProductSum<T>>, "Hhhh", Integer);
        table.Add($"min.{type}", &Elementwise.BinaryEach<T, T, Least<T>>, "Hhh", Integer);
        table.Add($"max.{type}", &Elementwise.BinaryEach<T, T, Greatest<T>>, "Hhh", Integer);
        AddEach<T>(table, type, "Hhh", "Hhhh");
    }

    private static void AddEach<T>(FormTable table, string type, string two, string three)
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        table.Add($"mul.hi.{type}", &Elementwise.BinaryEach<T, T, HighProduct<T>>, two, Integer);
        table.Add($"mad.hi.{type}", &Elementwise.TernaryEach<T, T, HighProductSum<T>>, three, Integer);
        table.Add($"div.{type}", &Elementwise.BinaryEach<T, T, Quotient<T>>, two, Integer);
        table.Add($"rem.{type}", &Elementwise.BinaryEach<T, T, Remainder<T>>, two, Integer);
    }

    private static void AddSigned<T>(FormTable table, string type, string operands)
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        table.Add($"neg.{type}", &Elementwise.UnaryEach<T, T, Negation<T>>, operands, Integer);
        table.Add($"abs.{type}", &Elementwise.UnaryEach<T, T, Magnitude<T>>, operands, Integer);
    }

    private static void AddWide(FormTable table)
    {
        table.Add("mul.wide.s32", &MultiplyWide<int, long, Widening>, "Dww", Integer);
        table.Add("mul.wide.u32", &MultiplyWide<uint, ulong, Widening>, "Dww", Integer);
        table.Add("mad.wide.s32", &MultiplyAddWide<int, long, Widening>, "Dwwd", Integer);
        table.Add("mad.wide.u32", &MultiplyAddWide<uint, ulong, Widening>, "Dwwd", Integer);
        table.Add("mul.wide.s16", &Elementwise.BinaryEach<short, int, WideProduct>, "Whh", Integer);
        table.Add("mul.wide.u16", &Elementwise.BinaryEach<ushort, uint, WideProduct>, "Whh", Integer);
    }

    private static void AddBits(FormTable table)
    {
        table.Add("popc.b32", &Elementwise.UnaryEach<uint, int, Ones>, "Ww", Integer);
        table.Add("popc.b64", &Elementwise.UnaryEach<ulong, int, Ones>, "Wd", Integer);
        table.Add("clz.b32", &Elementwise.UnaryEach<uint, int, LeadingZeros>, "Ww", Integer);
        table.Add("clz.b64", &Elementwise.UnaryEach<ulong, int, LeadingZeros>, "Wd", Integer);
        table.Add("bfind.u32", &Elementwise.UnaryEach<uint, uint, HighestOne>, "Ww", Integer);
        table.Add("bfind.s32", &Elementwise.UnaryEach<int, uint, HighestOne>, "Ww", Integer);
        table.Add("bfind.shiftamt.u32", &Elementwise.UnaryEach<uint, uint, ShiftToHighestOne>, "Ww", Integer);
        table.Add("brev.b32", &Elementwise.UnaryEach<uint, uint, Reverse>, "Ww", Integer);
        table.Add("brev.b64", &Elementwise.UnaryEach<ulong, ulong, Reverse>, "Dd", Integer);
    }

    private static void AddDot(FormTable table)
    {
        foreach (var half in new[] { "lo", "hi" })
        {
            var shift = half == "lo" ? 0 : 16;
            table.Add($"dp2a.{half}.u32.u32", &Dot<ushort, byte>, "Wwww", Integer, shift);
            table.Add($"dp2a.{half}.s32.s32", &Dot<short, sbyte>, "Wwww", Integer, shift);
            table.Add($"dp2a.{half}.u32.s32", &Dot<ushort, sbyte>, "Wwww", Integer, shift);
            table.Add($"dp2a.{half}.s32.u32", &Dot<short, byte>, "Wwww", Integer, shift);
        }
        table.Add("dp4a.u32.u32", &Dot<byte, byte>, "Wwww", Integer);
        table.Add("dp4a.s32.s32", &Dot<sbyte, sbyte>, "Wwww", Integer);
        table.Add("dp4a.u32.s32", &Dot<byte, sbyte>, "Wwww", Integer);
        table.Add("dp4a.s32.u32", &Dot<sbyte, byte>, "Wwww", Integer);
    }

    // d = c + the 16-bit values of a times two bytes of b, from a bit on; or the bytes of a times those of b.
    private static void Dot<TFirst, TSecond>(Warp warp, Op* op)
        where TFirst : unmanaged, IBinaryInteger<TFirst> where TSecond : unmanaged, IBinaryInteger<TSecond>
    {
        var a = (uint*)(warp.Registers + op->A);
        var b = (uint*)(warp.Registers + op->B);
        var c = (uint*)(warp.Registers + op->C);
        var d = (uint*)(warp.Registers + op->D);
        var (terms, bits, firstBit) = (sizeof(uint) / sizeof(TFirst), 8 * sizeof(TFirst), (int)op->Immediate);
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            var sum = c[lane];
            for (var i = 0; i < terms; i++)
            {
                var first = TFirst.CreateTruncating(a[lane] >> bits * i);
                var second = TSecond.CreateTruncating(b[lane] >> firstBit + 8 * i);
                sum += uint.CreateTruncating(first) * uint.CreateTruncating(second);
            }
            d[lane] = sum;
        }
    }

    private static void MultiplyWide<TNarrow, TWide, TWidening>(Warp warp, Op* op)
        where TNarrow : unmanaged where TWide : unmanaged where TWidening : struct, IWidening<TNarrow, TWide>
    {
        var d = warp.Registers + op->D;
        var a = (TNarrow*)(warp.Registers + op->A);
        var b = (TNarrow*)(warp.Registers + op->B);
        for (var lane = 0; lane < 32; lane += 16)
        {
            var (a0, a1) = TWidening.Widen(Vector512.Load(a + lane));
            var (b0, b1) = TWidening.Widen(Vector512.Load(b + lane));
            Lanes.Put(d, lane * 8, a0 * b0, warp.Mask);
            Lanes.Put(d, lane * 8 + 64, a1 * b1, warp.Mask);
        }
    }

    private static void MultiplyAddWide<TNarrow, TWide, TWidening>(Warp warp, Op* op)
        where TNarrow : unmanaged where TWide : unmanaged where TWidening : struct, IWidening<TNarrow, TWide>
    {
        var d = warp.Registers + op->D;
        var a = (TNarrow*)(warp.Registers + op->A);
        var b = (TNarrow*)(warp.Registers + op->B);
        var c = (TWide*)(warp.Registers + op->C);
        for (var lane = 0; lane < 32; lane += 16)
        {
            var (a0, a1) = TWidening.Widen(Vector512.Load(a + lane));
            var (b0, b1) = TWidening.Widen(Vector512.Load(b + lane));
            Lanes.Put(d, lane * 8, a0 * b0 + Vector512.Load(c + lane), warp.Mask);
            Lanes.Put(d, lane * 8 + 64, a1 * b1 + Vector512.Load(c + lane + 8), warp.Mask);
        }
    }

    private interface IWidening<TNarrow, TWide>
    {
        static abstract (Vector512<TWide> Low, Vector512<TWide> High) Widen(Vector512<TNarrow> narrow);
    }

    private readonly struct Widening : IWidening<int, long>, IWidening<uint, ulong>
    {
        public static (Vector512<long> Low, Vector512<long> High) Widen(Vector512<int> narrow) =>
            Vector512.Widen(narrow);

        public static (Vector512<ulong> Low, Vector512<ulong> High) Widen(Vector512<uint> narrow) =>
            Vector512.Widen(narrow);
    }

    private readonly struct Difference<T> : IBinary<T>, IBinary<T, T> where T : IBinaryInteger<T>
    {
        public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => a - b;

        public static T Of(T a, T b) => unchecked(a - b);
    }

    private readonly struct Product<T> : IBinary<T>, IBinary<T, T> where T : IBinaryInteger<T>
    {
        public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => a * b;

        public static T Of(T a, T b) => unchecked(a * b);
    }

    private readonly struct ProductSum<T> : ITernary<T>, ITernary<T, T> where T : IBinaryInteger<T>
    {
        public static Vector512<T> Of(Vector512<T> a, Vector512<T> b, Vector512<T> c) => a * b + c;

        public static T Of(T a, T b, T c) => unchecked(a * b + c);
    }

    private readonly struct HighProduct<T> : IBinary<T, T> where T : unmanaged, IBinaryInteger<T>
    {
        public static T Of(T a, T b) => High(a, b);

        public static T High(T a, T b)
        {
            // Of two 32-bit numbers the product modulo 2^64 has the bits wanted, whatever their signs.
            if (sizeof(T) <= 4)
                return T.CreateTruncating(long.CreateTruncating(a) * long.CreateTruncating(b) >> (8 * sizeof(T)));
            return T.CreateTruncating(Int128.CreateTruncating(a) * Int128.CreateTruncating(b) >> 64);
        }
    }

    private readonly struct HighProductSum<T> : ITernary<T, T> where T : unmanaged, IBinaryInteger<T>
    {
        public static T Of(T a, T b, T c) => unchecked(HighProduct<T>.High(a, b) + c);
    }

    // Division by zero is unspecified in PTX; devices give all ones.
    private readonly struct Quotient<T> : IBinary<T, T> where T : IBinaryInteger<T>, IMinMaxValue<T>
    {
        public static T Of(T a, T b) =>
            b == T.Zero ? ~T.Zero : T.IsNegative(b) && b == ~T.Zero ? unchecked(T.Zero - a) : a / b;
    }

    private readonly struct Remainder<T> : IBinary<T, T> where T : IBinaryInteger<T>, IMinMaxValue<T>
    {
        public static T Of(T a, T b) => b == T.Zero ? a : T.IsNegative(b) && b == ~T.Zero ? T.Zero : a % b;
    }

    private readonly struct Negation<T> : IUnary<T, T> where T : IBinaryInteger<T>
    {
        public static T Of(T a) => unchecked(T.Zero - a);
    }

    private readonly struct Magnitude<T> : IUnary<T, T> where T : IBinaryInteger<T>
    {
        public static T Of(T a) => T.IsNegative(a) ? unchecked(T.Zero - a) : a;
    }

    private readonly struct WideProduct : IBinary<short, int>, IBinary<ushort, uint>
    {
        static int IBinary<short, int>.Of(short a, short b) => a * b;
        static uint IBinary<ushort, uint>.Of(ushort a, ushort b) => (uint)a * b;
    }

    private readonly struct Ones : IUnary<uint, int>, IUnary<ulong, int>
    {
        static int IUnary<uint, int>.Of(uint a) => BitOperations.PopCount(a);
        static int IUnary<ulong, int>.Of(ulong a) => BitOperations.PopCount(a);
    }

    private readonly struct LeadingZeros : IUnary<uint, int>, IUnary<ulong, int>
    {
        static int IUnary<uint, int>.Of(uint a) => BitOperations.LeadingZeroCount(a);
        static int IUnary<ulong, int>.Of(ulong a) => BitOperations.LeadingZeroCount(a);
    }

    private readonly struct HighestOne : IUnary<uint, uint>, IUnary<int, uint>
    {
        static uint IUnary<uint, uint>.Of(uint a) => a == 0 ? ~0u : 31u - (uint)BitOperations.LeadingZeroCount(a);
        static uint IUnary<int, uint>.Of(int a)
        {
            var differing = (uint)(a < 0 ? ~a : a);  // the highest bit that is not the sign's
            return differing == 0 ? ~0u : 31u - (uint)BitOperations.LeadingZeroCount(differing);
        }
    }

    private readonly struct ShiftToHighestOne : IUnary<uint, uint>
    {
        public static uint Of(uint a) => a == 0 ? ~0u : (uint)BitOperations.LeadingZeroCount(a);
    }

    private readonly struct Reverse : IUnary<uint, uint>, IUnary<ulong, ulong>
    {
        static uint IUnary<uint, uint>.Of(uint a)
        {
            var result = 0u;
            for (var bit = 0; bit < 32; bit++) result |= (a >> bit & 1) << (31 - bit);
            return result;
        }

        static ulong IUnary<ulong, ulong>.Of(ulong a)
        {
            var result = 0ul;
            for (var bit = 0; bit < 64; bit++) result |= (a >> bit & 1) << (63 - bit);
            return result;
        }
    }
}
