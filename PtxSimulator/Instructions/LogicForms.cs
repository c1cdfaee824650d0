using System.Numerics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using PtxSimulator.Counting;
using PtxSimulator.Decoding;
using PtxSimulator.Execution;

namespace PtxSimulator.Instructions;

/// <summary>Bitwise logic, shifts, fields of bits and permuted bytes.</summary>
internal static unsafe class LogicForms
{
    private const InstructionClass Logic = InstructionClass.Logic;

    public static void Add(FormTable table)
    {
        AddBitwise<ulong>(table, "b64", "Dd", "Ddd");
        AddBitwise<uint>(table, "b32", "Ww", "Www");
        AddBitwise<uint>(table, "b16", "Hh", "Hhh");
        table.Add("shl.b16", &Elementwise.BinaryEach<uint, ushort, Left>, "Hhw", Logic);
        table.Add("shl.b32", &Elementwise.Binary<uint, Left>, "Www", Logic);
        table.Add("shl.b64", &ShiftWide<ulong, Left>, "Ddw", Logic);
        table.Add("shr.b32", &Elementwise.Binary<uint, Right>, "Www", Logic);
        table.Add("shr.u32", &Elementwise.Binary<uint, Right>, "Www", Logic);
        table.Add("shr.s32", &Elementwise.Binary<int, Right>, "Www", Logic);
        table.Add("shr.u16", &Elementwise.BinaryEach<uint, uint, Right>, "Hhw", Logic);
        table.Add("shr.b16", &Elementwise.BinaryEach<uint, uint, Right>, "Hhw", Logic);
        table.Add("shr.s16", &ShiftShort, "Hhw", Logic);
        table.Add("shr.b64", &ShiftWide<ulong, Right>, "Ddw", Logic);
        table.Add("shr.u64", &ShiftWide<ulong, Right>, "Ddw", Logic);
        table.Add("shr.s64", &ShiftWide<long, Right>, "Ddw", Logic);
        table.Add("shf.l.wrap.b32", &Elementwise.TernaryEach<uint, uint, FunnelLeftWrap>, "Wwww", Logic);
        table.Add("shf.r.wrap.b32", &Elementwise.TernaryEach<uint, uint, FunnelRightWrap>, "Wwww", Logic);
        table.Add("shf.l.clamp.b32", &Elementwise.TernaryEach<uint, uint, FunnelLeftClamp>, "Wwww", Logic);
        table.Add("shf.r.clamp.b32", &Elementwise.TernaryEach<uint, uint, FunnelRightClamp>, "Wwww", Logic);
        table.Add("prmt.b32", &Elementwise.TernaryEach<uint, uint, PermuteBytes>, "Wwww", Logic);
        table.Add("bfe.u32", &ExtractField<uint>, "Wwww", Logic);
        table.Add("bfe.s32", &ExtractField<int>, "Wwww", Logic);
        table.Add("bfe.u64", &ExtractField<ulong>, "Ddww", Logic);
        table.Add("bfe.s64", &ExtractField<long>, "Ddww", Logic);
        table.Add("bfi.b32", &InsertField<uint>, "Wwwww", Logic);
        table.Add("bfi.b64", &InsertField<ulong>, "Dddww", Logic);
        table.Add("lop3.b32", &LookUp, "Wwwww", Logic);
    }

    private static void AddBitwise<T>(FormTable table, string type, string one, string two)
        where T : unmanaged, IBinaryInteger<T>
    {
        table.Add($"and.{type}", &Elementwise.Binary<T, And<T>>, two, Logic);
        table.Add($"or.{type}", &Elementwise.Binary<T, Or<T>>, two, Logic);
        table.Add($"xor.{type}", &Elementwise.Binary<T, Xor<T>>, two, Logic);
        if (type == "b16") table.Add("not.b16", &Elementwise.UnaryEach<ushort, ushort, NotShort>, one, Logic);
        else table.Add($"not.{type}", &Elementwise.Unary<T, Not<T>>, one, Logic);
    }

    // The amount has 32 bits whatever the width of the value.
    private static void ShiftWide<T, TShift>(Warp warp, Op* op) where T : unmanaged where TShift : struct, IShift<T>
    {
        var d = (T*)(warp.Registers + op->D);
        var a = (T*)(warp.Registers + op->A);
        var b = (uint*)(warp.Registers + op->B);
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            d[lane] = TShift.By(a[lane], b[lane]);
        }
    }

    private static void ShiftShort(Warp warp, Op* op)
    {
        var d = warp.Registers + op->D;
        var a = warp.Registers + op->A;
        var b = (uint*)(warp.Registers + op->B);
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            Lanes.Set(d, lane, (short)(Lanes.Get<short>(a, lane) >> (int)Math.Min(b[lane], 15)));
        }
    }

    // d = the field of a that starts at bit b and has c bits; signed fields extend their highest bit.
    private static void ExtractField<T>(Warp warp, Op* op) where T : unmanaged, IBinaryInteger<T>
    {
        var d = (T*)(warp.Registers + op->D);
        var a = (T*)(warp.Registers + op->A);
        var b = (uint*)(warp.Registers + op->B);
        var c = (uint*)(warp.Registers + op->C);
        var width = 8 * sizeof(T);
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            var (start, length) = ((int)(b[lane] & 0xFF), (int)(c[lane] & 0xFF));
            var highest = Math.Min(start + length, width) - 1;
            var bits = ulong.CreateTruncating(a[lane]);
            var sign = T.IsNegative(~T.Zero) && length > 0 ? 0 - (bits >> Math.Max(highest, 0) & 1) : 0;
            var field = start >= width || length == 0 ? 0 : bits >> start;
            var kept = start >= width ? 0 : highest - start + 1;
            var mask = kept >= 64 ? ~0ul : (1ul << Math.Max(kept, 0)) - 1;
            d[lane] = T.CreateTruncating(length == 0 ? 0 : field & mask | sign & ~mask);
        }
    }

    // d = b with the lowest bits of a put in at bit c, as many as e says.
    private static void InsertField<T>(Warp warp, Op* op) where T : unmanaged, IBinaryInteger<T>
    {
        var d = (T*)(warp.Registers + op->D);
        var a = (T*)(warp.Registers + op->A);
        var b = (T*)(warp.Registers + op->B);
        var c = (uint*)(warp.Registers + op->C);
        var e = (uint*)(warp.Registers + op->E);
        var width = 8 * sizeof(T);
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            var (start, length) = ((int)(c[lane] & 0xFF), (int)(e[lane] & 0xFF));
            var mask = start >= width ? 0 : (length >= 64 ? ~0ul : (1ul << length) - 1) << start;
            var field = start >= width ? 0 : ulong.CreateTruncating(a[lane]) << start;
            d[lane] = T.CreateTruncating(ulong.CreateTruncating(b[lane]) & ~mask | field & mask);
        }
    }

    private static void LookUp(Warp warp, Op* op)
    {
        var d = (uint*)(warp.Registers + op->D);
        var a = (uint*)(warp.Registers + op->A);
        var b = (uint*)(warp.Registers + op->B);
        var c = (uint*)(warp.Registers + op->C);
        var table = *(uint*)(warp.Registers + op->E);
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            var result = 0u;
            for (var row = 0; row < 8; row++)
            {
                if ((table >> row & 1) == 0) continue;
                result |= ((row & 4) != 0 ? a[lane] : ~a[lane]) & ((row & 2) != 0 ? b[lane] : ~b[lane])
                    & ((row & 1) != 0 ? c[lane] : ~c[lane]);
            }
            d[lane] = result;
        }
    }

    private interface IShift<T>
    {
        static abstract T By(T a, uint amount);
    }

    private readonly struct Not<T> : IUnary<T>
    {
        public static Vector512<T> Of(Vector512<T> a) => ~a;
    }

    private readonly struct NotShort : IUnary<ushort, ushort>
    {
        public static ushort Of(ushort a) => (ushort)~a;
    }

    // Amounts are clamped to the width; the languages' own shifts take them modulo it.
    private readonly struct Left : IBinary<uint>, IBinary<uint, ushort>, IShift<ulong>
    {
        static Vector512<uint> IBinary<uint>.Of(Vector512<uint> a, Vector512<uint> b)
        {
            if (Avx512F.IsSupported) return Avx512F.ShiftLeftLogicalVariable(a, b);
            for (var i = 0; i < 16; i++) a = a.WithElement(i, b[i] > 31 ? 0 : a[i] << (int)b[i]);
            return a;
        }

        static ushort IBinary<uint, ushort>.Of(uint a, uint b) => b > 15 ? (ushort)0 : (ushort)(a << (int)b);
        static ulong IShift<ulong>.By(ulong a, uint amount) => amount > 63 ? 0 : a << (int)amount;
    }

    private readonly struct Right : IBinary<uint>, IBinary<int>, IBinary<uint, uint>, IShift<ulong>, IShift<long>
    {
        static Vector512<uint> IBinary<uint>.Of(Vector512<uint> a, Vector512<uint> b)
        {
            if (Avx512F.IsSupported) return Avx512F.ShiftRightLogicalVariable(a, b);
            for (var i = 0; i < 16; i++) a = a.WithElement(i, b[i] > 31 ? 0 : a[i] >> (int)b[i]);
            return a;
        }

        static Vector512<int> IBinary<int>.Of(Vector512<int> a, Vector512<int> b)
        {
            if (Avx512F.IsSupported) return Avx512F.ShiftRightArithmeticVariable(a, b.AsUInt32());
            for (var i = 0; i < 16; i++) a = a.WithElement(i, a[i] >> (int)Math.Min((uint)b[i], 31));
            return a;
        }

        static uint IBinary<uint, uint>.Of(uint a, uint b) => b > 31 ? 0 : a >> (int)b;
        static ulong IShift<ulong>.By(ulong a, uint amount) => amount > 63 ? 0 : a >> (int)amount;
        static long IShift<long>.By(long a, uint amount) => a >> (int)Math.Min(amount, 63);
    }

    // a holds the low word, b the high one.
    private readonly struct FunnelLeftWrap : ITernary<uint, uint>
    {
        public static uint Of(uint a, uint b, uint c) => (uint)(((ulong)b << 32 | a) << (int)(c & 31) >> 32);
    }

    private readonly struct FunnelRightWrap : ITernary<uint, uint>
    {
        public static uint Of(uint a, uint b, uint c) => (uint)(((ulong)b << 32 | a) >> (int)(c & 31));
    }

    private readonly struct FunnelLeftClamp : ITernary<uint, uint>
    {
        public static uint Of(uint a, uint b, uint c) => (uint)(((ulong)b << 32 | a) << (int)Math.Min(c, 32) >> 32);
    }

    private readonly struct FunnelRightClamp : ITernary<uint, uint>
    {
        public static uint Of(uint a, uint b, uint c) => (uint)(((ulong)b << 32 | a) >> (int)Math.Min(c, 32));
    }

    // Each nibble of c picks one of the eight bytes of b and a; its highest bit asks for the byte's sign instead.
    private readonly struct PermuteBytes : ITernary<uint, uint>
    {
        public static uint Of(uint a, uint b, uint c)
        {
            var (bytes, result) = ((ulong)b << 32 | a, 0u);
            for (var i = 0; i < 4; i++)
            {
                var choice = c >> (4 * i) & 0xF;
                var value = (uint)(bytes >> (int)(8 * (choice & 7))) & 0xFF;
                if ((choice & 8) != 0) value = (value & 0x80) != 0 ? 0xFFu : 0;
                result |= value << (8 * i);
            }
            return result;
        }
    }
}
