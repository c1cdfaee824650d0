using System.Numerics;
using System.Runtime.Intrinsics;
using PtxSimulator.Execution;

namespace PtxSimulator.Instructions;

/// <summary>setp. The result may be combined with a predicate: how stands in <see cref="Op.Immediate"/>.</summary>
internal static unsafe class Comparisons
{
    public enum Combination { None, And, Or, Xor }

    /// <summary>The instruction for a comparison and type as they stand in the opcode, or null.</summary>
    public static delegate*<Warp, Op*, void> Find(string comparison, string type, bool flushes) => type switch
    {
        "s16" => FindShort(comparison),
        "u16" or "b16" => Unsigned<uint>(comparison, type),
        "u32" or "b32" => Unsigned<uint>(comparison, type),
        "u64" or "b64" => Unsigned<ulong>(comparison, type),
        "s32" => Ordered<int>(comparison),
        "s64" => Ordered<long>(comparison),
        "f32" when flushes => FindFlushed(comparison),
        "f32" => Real<float>(comparison),
        "f64" => Real<double>(comparison),
        "f16" => FindHalf(comparison),
        _ => null,
    };

    private static void Compare<T, TComparison>(Warp warp, Op* op)
        where T : unmanaged where TComparison : struct, IBinary<T>
    {
        var a = warp.Registers + op->A;
        var b = warp.Registers + op->B;
        ulong result = 0;
        for (var i = 0; i < 32 * sizeof(T); i += 64)
        {
            var lanes = TComparison.Of(Vector512.Load((T*)(a + i)), Vector512.Load((T*)(b + i)));
            result |= lanes.ExtractMostSignificantBits() << (i / sizeof(T));
        }
        Put(warp, op, (uint)result);
    }

    private static void CompareEach<T, TComparison>(Warp warp, Op* op)
        where T : unmanaged where TComparison : struct, IBinary<T, bool>
    {
        var a = warp.Registers + op->A;
        var b = warp.Registers + op->B;
        var result = 0u;
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            if (TComparison.Of(Lanes.Get<T>(a, lane), Lanes.Get<T>(b, lane))) result |= 1u << lane;
        }
        Put(warp, op, result);
    }

    private static void Put(Warp warp, Op* op, uint result)
    {
        var other = *(uint*)(warp.Registers + op->C) ^ op->Flip;
        result = (Combination)op->Immediate switch
        {
            Combination.And => result & other,
            Combination.Or => result | other,
            Combination.Xor => result ^ other,
            _ => result,
        };
        var d = (uint*)(warp.Registers + op->D);
        *d = *d & ~warp.Mask | result & warp.Mask;
    }

    private static delegate*<Warp, Op*, void> Ordered<T>(string comparison) where T : unmanaged => comparison switch
    {
        "eq" => &Compare<T, Equal<T>>,
        "ne" => &Compare<T, Not<T, Equal<T>>>,
        "lt" => &Compare<T, Less<T>>,
        "le" => &Compare<T, LessOrEqual<T>>,
        "gt" => &Compare<T, Greater<T>>,
        "ge" => &Compare<T, GreaterOrEqual<T>>,
        _ => null,
    };

    // Types of bits alone know no order; lo, ls, hi, hs are lt, le, gt, ge of unsigned numbers.
    private static delegate*<Warp, Op*, void> Unsigned<T>(string comparison, string type) where T : unmanaged =>
        comparison switch
        {
            "eq" or "ne" => Ordered<T>(comparison),
            _ when type[0] == 'b' => null,
            "lo" => Ordered<T>("lt"),
            "ls" => Ordered<T>("le"),
            "hi" => Ordered<T>("gt"),
            "hs" => Ordered<T>("ge"),
            _ => Ordered<T>(comparison),
        };

    // With a NaN the ordered comparisons are false and those that end in u are true.
    private static delegate*<Warp, Op*, void> Real<T>(string comparison) where T : unmanaged => comparison switch
    {
        "ne" => &Compare<T, Apart<T>>,
        "equ" => &Compare<T, Not<T, Apart<T>>>,
        "neu" => &Compare<T, Not<T, Equal<T>>>,
        "ltu" => &Compare<T, Not<T, GreaterOrEqual<T>>>,
        "leu" => &Compare<T, Not<T, Greater<T>>>,
        "gtu" => &Compare<T, Not<T, LessOrEqual<T>>>,
        "geu" => &Compare<T, Not<T, Less<T>>>,
        "num" => &Compare<T, Numbers<T>>,
        "nan" => &Compare<T, Not<T, Numbers<T>>>,
        _ => Ordered<T>(comparison),
    };

    private static delegate*<Warp, Op*, void> FindFlushed(string comparison) => comparison switch
    {
        "eq" => &Compare<float, Flushed<Equal<float>>>,
        "ne" => &Compare<float, Flushed<Apart<float>>>,
        "lt" => &Compare<float, Flushed<Less<float>>>,
        "le" => &Compare<float, Flushed<LessOrEqual<float>>>,
        "gt" => &Compare<float, Flushed<Greater<float>>>,
        "ge" => &Compare<float, Flushed<GreaterOrEqual<float>>>,
        "equ" => &Compare<float, Flushed<Not<float, Apart<float>>>>,
        "neu" => &Compare<float, Flushed<Not<float, Equal<float>>>>,
        "ltu" => &Compare<float, Flushed<Not<float, GreaterOrEqual<float>>>>,
        "leu" => &Compare<float, Flushed<Not<float, Greater<float>>>>,
        "gtu" => &Compare<float, Flushed<Not<float, LessOrEqual<float>>>>,
        "geu" => &Compare<float, Flushed<Not<float, Less<float>>>>,
        "num" => &Compare<float, Numbers<float>>,
        "nan" => &Compare<float, Not<float, Numbers<float>>>,
        _ => null,
    };

    private static delegate*<Warp, Op*, void> FindShort(string comparison) => comparison switch
    {
        "eq" => &CompareEach<short, EachEqual<short>>,
        "ne" => &CompareEach<short, EachNot<short, EachEqual<short>>>,
        "lt" => &CompareEach<short, EachLess<short>>,
        "ge" => &CompareEach<short, EachNot<short, EachLess<short>>>,
        "le" => &CompareEach<short, EachLessOrEqual<short>>,
        "gt" => &CompareEach<short, EachNot<short, EachLessOrEqual<short>>>,
        _ => null,
    };

    private static delegate*<Warp, Op*, void> FindHalf(string comparison) => comparison switch
    {
        "eq" => &CompareEach<Half, EachEqual<Half>>,
        "ne" => &CompareEach<Half, EachApart<Half>>,
        "lt" => &CompareEach<Half, EachLess<Half>>,
        "le" => &CompareEach<Half, EachLessOrEqual<Half>>,
        "gt" => &CompareEach<Half, EachGreater<Half>>,
        "ge" => &CompareEach<Half, EachGreaterOrEqual<Half>>,
        "equ" => &CompareEach<Half, EachNot<Half, EachApart<Half>>>,
        "neu" => &CompareEach<Half, EachNot<Half, EachEqual<Half>>>,
        "ltu" => &CompareEach<Half, EachNot<Half, EachGreaterOrEqual<Half>>>,
        "leu" => &CompareEach<Half, EachNot<Half, EachGreater<Half>>>,
        "gtu" => &CompareEach<Half, EachNot<Half, EachLessOrEqual<Half>>>,
        "geu" => &CompareEach<Half, EachNot<Half, EachLess<Half>>>,
        "num" => &CompareEach<Half, EachNumbers<Half>>,
        "nan" => &CompareEach<Half, EachNot<Half, EachNumbers<Half>>>,
        _ => null,
    };

    private readonly struct Equal<T> : IBinary<T>
    {
        public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => Vector512.Equals(a, b);
    }

    private readonly struct Less<T> : IBinary<T>
    {
        public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => Vector512.LessThan(a, b);
    }

    private readonly struct LessOrEqual<T> : IBinary<T>
    {
        public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => Vector512.LessThanOrEqual(a, b);
    }

    private readonly struct Greater<T> : IBinary<T>
    {
        public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => Vector512.GreaterThan(a, b);
    }

    private readonly struct GreaterOrEqual<T> : IBinary<T>
    {
        public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => Vector512.GreaterThanOrEqual(a, b);
    }

    private readonly struct Apart<T> : IBinary<T>
    {
        public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) =>
            Vector512.LessThan(a, b) | Vector512.GreaterThan(a, b);
    }

    private readonly struct Numbers<T> : IBinary<T>
    {
        public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) =>
            Vector512.Equals(a, a) & Vector512.Equals(b, b);
    }

    private readonly struct Not<T, TComparison> : IBinary<T> where TComparison : struct, IBinary<T>
    {
        public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => ~TComparison.Of(a, b);
    }

    private readonly struct Flushed<TComparison> : IBinary<float> where TComparison : struct, IBinary<float>
    {
        public static Vector512<float> Of(Vector512<float> a, Vector512<float> b) =>
            TComparison.Of(SingleForms.Flush(a), SingleForms.Flush(b));
    }

    private readonly struct EachEqual<T> : IBinary<T, bool> where T : INumber<T>
    {
        public static bool Of(T a, T b) => a == b;
    }

    private readonly struct EachLess<T> : IBinary<T, bool> where T : INumber<T>
    {
        public static bool Of(T a, T b) => a < b;
    }

    private readonly struct EachLessOrEqual<T> : IBinary<T, bool> where T : INumber<T>
    {
        public static bool Of(T a, T b) => a <= b;
    }

    private readonly struct EachGreater<T> : IBinary<T, bool> where T : INumber<T>
    {
        public static bool Of(T a, T b) => a > b;
    }

    private readonly struct EachGreaterOrEqual<T> : IBinary<T, bool> where T : INumber<T>
    {
        public static bool Of(T a, T b) => a >= b;
    }

    private readonly struct EachApart<T> : IBinary<T, bool> where T : INumber<T>
    {
        public static bool Of(T a, T b) => a < b || a > b;
    }

    private readonly struct EachNumbers<T> : IBinary<T, bool> where T : INumber<T>
    {
        public static bool Of(T a, T b) => !T.IsNaN(a) && !T.IsNaN(b);
    }

    private readonly struct EachNot<T, TComparison> : IBinary<T, bool> where TComparison : struct, IBinary<T, bool>
    {
        public static bool Of(T a, T b) => !TComparison.Of(a, b);
    }
}
