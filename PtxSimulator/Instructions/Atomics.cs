using System.Numerics;
using PtxSimulator.Decoding;
using PtxSimulator.Execution;

namespace PtxSimulator.Instructions;

/// <summary>atom and red: lane after lane. The old value goes to <see cref="Op.D"/>, unless that is negative.</summary>
internal static unsafe class Atomics
{
    public static void Run<T, TOperation>(Warp warp, Op* op)
        where T : unmanaged where TOperation : struct, ITernary<T, T>
    {
        op->Resolve(warp, op);
        var b = warp.Registers + op->B;
        var c = warp.Registers + op->C;
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            var place = (T*)(warp.Base + warp.Offsets[lane]);
            var old = *place;
            *place = TOperation.Of(old, Lanes.Get<T>(b, lane), Lanes.Get<T>(c, lane));
            if (op->D >= 0) Lanes.Set(warp.Registers + op->D, lane, old);
        }
    }

    /// <summary>The instruction for an operation and type as they stand in the opcode, or null.</summary>
    public static delegate*<Warp, Op*, void> Find(string operation, string type, out int bytes)
    {
        bytes = TypeNames.Bytes(type);
        return type switch
        {
            "u32" => Arithmetic<uint>(operation),
            "s32" => Arithmetic<int>(operation),
            "u64" => Arithmetic<ulong>(operation),
            "s64" => Arithmetic<long>(operation),
            "b32" => Bitwise<uint>(operation),
            "b64" => Bitwise<ulong>(operation),
            "b16" when operation == "cas" => &Run<ushort, CompareAndSwap<ushort>>,
            "f32" when operation == "add" => &Run<float, AddReal<float>>,
            "f64" when operation == "add" => &Run<double, AddReal<double>>,
            _ => null,
        };
    }

    private static delegate*<Warp, Op*, void> Arithmetic<T>(string operation) where T : unmanaged, IBinaryInteger<T> =>
        operation switch
        {
            "add" => &Run<T, Sum<T>>,
            "min" => &Run<T, Least<T>>,
            "max" => &Run<T, Greatest<T>>,
            "inc" when typeof(T) == typeof(uint) => &Run<T, Increment<T>>,
            "dec" when typeof(T) == typeof(uint) => &Run<T, Decrement<T>>,
            _ => null,
        };

    private static delegate*<Warp, Op*, void> Bitwise<T>(string operation) where T : unmanaged, IBinaryInteger<T> =>
        operation switch
        {
            "and" => &Run<T, And<T>>,
            "or" => &Run<T, Or<T>>,
            "xor" => &Run<T, Xor<T>>,
            "exch" => &Run<T, Exchange<T>>,
            "cas" => &Run<T, CompareAndSwap<T>>,
            _ => null,
        };

    private readonly struct AddReal<T> : ITernary<T, T> where T : IFloatingPoint<T>
    {
        public static T Of(T a, T b, T c) => a + b;
    }

    private readonly struct Increment<T> : ITernary<T, T> where T : IBinaryInteger<T>
    {
        public static T Of(T a, T b, T c) => a >= b ? T.Zero : a + T.One;
    }

    private readonly struct Decrement<T> : ITernary<T, T> where T : IBinaryInteger<T>
    {
        public static T Of(T a, T b, T c) => a == T.Zero || a > b ? b : a - T.One;
    }

    private readonly struct Exchange<T> : ITernary<T, T> where T : IBinaryInteger<T>
    {
        public static T Of(T a, T b, T c) => b;
    }

    private readonly struct CompareAndSwap<T> : ITernary<T, T> where T : IBinaryInteger<T>
    {
        public static T Of(T a, T b, T c) => a == b ? c : a;
    }
}
