using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using PtxSimulator.Execution;

namespace PtxSimulator.Instructions;

/// <summary>What the modifiers of a cvt ask for.</summary>
[Flags]
internal enum ConversionModes
{
    None = 0,
    Saturate = 8,
    Flush = 16,
    Relu = 32,

    /// <summary>The rounding is to an integer: .rni, .rzi, .rmi, .rpi.</summary>
    ToInteger = 64,
}

/// <summary>cvt. <see cref="Op.Immediate"/> holds a <see cref="RoundingMode"/> and <see cref="ConversionModes"/>;
/// <see cref="Op.E"/> and <see cref="Op.Bytes"/> the bytes of the source's and destination's register.</summary>
internal static unsafe class Conversions
{
    public const int RoundingBits = 7;

    /// <summary>The instruction for two types as they stand in the opcode, or null.</summary>
    public static delegate*<Warp, Op*, void> Find(string target, string source) => source switch
    {
        "u8" => FindTarget<byte>(target),
        "s8" => FindTarget<sbyte>(target),
        "u16" => FindTarget<ushort>(target),
        "s16" => FindTarget<short>(target),
        "u32" => FindTarget<uint>(target),
        "s32" => FindTarget<int>(target),
        "u64" => FindTarget<ulong>(target),
        "s64" => FindTarget<long>(target),
        "f16" => FindTarget<Half>(target),
        "f32" => FindTarget<float>(target),
        "f64" => FindTarget<double>(target),
        _ => null,
    };

    private static delegate*<Warp, Op*, void> FindTarget<TSource>(string target)
        where TSource : unmanaged, INumber<TSource> =>
        target switch
        {
            "u8" => &Convert<TSource, byte>,
            "s8" => &Convert<TSource, sbyte>,
            "u16" => &Convert<TSource, ushort>,
            "s16" => &Convert<TSource, short>,
            "u32" => &Convert<TSource, uint>,
            "s32" => &Convert<TSource, int>,
            "u64" => &Convert<TSource, ulong>,
            "s64" => &Convert<TSource, long>,
            "f16" => &Convert<TSource, Half>,
            "f32" => &Convert<TSource, float>,
            "f64" => &Convert<TSource, double>,
            _ => null,
        };

    /// <summary>Conversions that occur in every kernel, when the registers are as wide as the types.</summary>
    public static delegate*<Warp, Op*, void> FindFast(string opcode) => opcode switch
    {
        "cvt.u64.u32" => &Widen<uint, ulong>,
        "cvt.s64.s32" => &Widen<int, long>,
        "cvt.u32.u64" => &Narrow,
        "cvt.rn.f32.s32" => &Map<int, float, FromInteger>,
        "cvt.rn.f32.u32" => &Map<uint, float, FromInteger>,
        "cvt.rzi.s32.f32" => &Map<float, int, ToInteger>,
        "cvt.rzi.u32.f32" => &Map<float, uint, ToInteger>,
        "cvt.rmi.f32.f32" => &Map<float, float, Floor>,
        "cvt.rni.f32.f32" => &Map<float, float, Nearest>,
        "cvt.f32.f16" => &Map<uint, float, FromHalf>,
        "cvt.rn.f16.f32" => &Map<float, uint, ToHalf>,
        _ => null,
    };

    private static void Map<TSource, TTarget, TConversion>(Warp warp, Op* op)
        where TSource : unmanaged where TTarget : unmanaged where TConversion : struct, IConversion<TSource, TTarget>
    {
        var d = warp.Registers + op->D;
        var a = warp.Registers + op->A;
        for (var i = 0; i < 128; i += 64) Lanes.Put(d, i, TConversion.Of(Vector512.Load((TSource*)(a + i))), warp.Mask);
    }

    private interface IConversion<TSource, TTarget>
    {
        static abstract Vector512<TTarget> Of(Vector512<TSource> a);
    }

    private readonly struct FromInteger : IConversion<int, float>, IConversion<uint, float>
    {
        static Vector512<float> IConversion<int, float>.Of(Vector512<int> a) => Vector512.ConvertToSingle(a);
        static Vector512<float> IConversion<uint, float>.Of(Vector512<uint> a) => Vector512.ConvertToSingle(a);
    }

    private readonly struct ToInteger : IConversion<float, int>, IConversion<float, uint>
    {
        static Vector512<int> IConversion<float, int>.Of(Vector512<float> a) => Vector512.ConvertToInt32(a);
        static Vector512<uint> IConversion<float, uint>.Of(Vector512<float> a) => Vector512.ConvertToUInt32(a);
    }

    private readonly struct Floor : IConversion<float, float>
    {
        public static Vector512<float> Of(Vector512<float> a) => SingleForms.Canonical(Vector512.Floor(a));
    }

    private readonly struct Nearest : IConversion<float, float>
    {
        public static Vector512<float> Of(Vector512<float> a) =>
            SingleForms.Canonical(Vector512.Round(a, MidpointRounding.ToEven));
    }

    private readonly struct FromHalf : IConversion<uint, float>
    {
        public static Vector512<float> Of(Vector512<uint> a) => SingleForms.Canonical(HalfVectors.Expand(a));
    }

    private readonly struct ToHalf : IConversion<float, uint>
    {
        public static Vector512<uint> Of(Vector512<float> a) => HalfVectors.Round(a);
    }

    private static void Widen<TSource, TTarget>(Warp warp, Op* op) where TSource : unmanaged where TTarget : unmanaged
    {
        var d = warp.Registers + op->D;
        var a = warp.Registers + op->A;
        for (var lane = 0; lane < 32; lane += 16)
        {
            if (typeof(TSource) == typeof(int))
            {
                var (low, high) = Vector512.Widen(Vector512.Load((int*)a + lane));
                Lanes.Put(d, lane * 8, low, warp.Mask);
                Lanes.Put(d, lane * 8 + 64, high, warp.Mask);
            }
            else
            {
                var (low, high) = Vector512.Widen(Vector512.Load((uint*)a + lane));
                Lanes.Put(d, lane * 8, low, warp.Mask);
                Lanes.Put(d, lane * 8 + 64, high, warp.Mask);
            }
        }
    }

    private static void Narrow(Warp warp, Op* op)
    {
        var d = warp.Registers + op->D;
        var a = (ulong*)(warp.Registers + op->A);
        for (var lane = 0; lane < 32; lane += 16)
            Lanes.Put(d, lane * 4, Vector512.Narrow(Vector512.Load(a + lane), Vector512.Load(a + lane + 8)), warp.Mask);
    }

    private static void Convert<TSource, TTarget>(Warp warp, Op* op)
        where TSource : unmanaged, INumber<TSource> where TTarget : unmanaged, INumber<TTarget>
    {
        var d = warp.Registers + op->D;
        var a = warp.Registers + op->A;
        var stride = Math.Max(op->E, 4);
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            var value = Of<TSource, TTarget>(*(TSource*)(a + lane * stride), op->Immediate);
            Extend(d, lane, value, op->Bytes);
        }
    }

    // An integer fills the whole of a wider register, by its sign or with zeros.
    private static void Extend<TTarget>(byte* d, int lane, TTarget value, int bytes)
        where TTarget : unmanaged, INumber<TTarget>
    {
        if (bytes == sizeof(TTarget)) Lanes.Set(d, lane, value);
        else if (bytes == 8) Lanes.Set(d, lane, ulong.CreateTruncating(value));
        else if (bytes == 4) Lanes.Set(d, lane, uint.CreateTruncating(value));
        else Lanes.Set(d, lane, ushort.CreateTruncating(value));
    }

    private static TTarget Of<TSource, TTarget>(TSource value, long modes)
        where TSource : unmanaged, INumber<TSource> where TTarget : unmanaged, INumber<TTarget>
    {
        if (IsReal<TSource>())
            return OfReal<TTarget>(double.CreateTruncating(value), typeof(TSource) == typeof(float), modes);
        if (!IsReal<TTarget>())
            return (modes & (long)ConversionModes.Saturate) != 0 ? TTarget.CreateSaturating(value)
                : TTarget.CreateTruncating(value);
        if (typeof(TTarget) == typeof(double) && sizeof(TSource) < 8) return TTarget.CreateTruncating(value);
        // 64 bits are more than a double holds: two exact halves, added with rounding to odd.
        var whole = Int128.CreateTruncating(value);
        var (high, low) = ((double)(long)(whole >> 32) * 4294967296.0, (double)(uint)(whole & 0xFFFFFFFF));
        return Round<TTarget>(typeof(TTarget) == typeof(double) ? high + low : Rounding.AddToOdd(high, low), modes);
    }

    private static TTarget OfReal<TTarget>(double value, bool isSingle, long modes)
        where TTarget : unmanaged, INumber<TTarget>
    {
        var rounding = (RoundingMode)(modes & RoundingBits);
        var flags = (ConversionModes)(modes & ~RoundingBits);
        if (flags.HasFlag(ConversionModes.Flush) && isSingle) value = Rounding.Flush((float)value);
        if (!IsReal<TTarget>())
            return double.IsNaN(value) ? TTarget.Zero : TTarget.CreateSaturating(Rounding.ToInteger(value, rounding));
        if (flags.HasFlag(ConversionModes.ToInteger)) value = Rounding.ToInteger(value, rounding);
        if (flags.HasFlag(ConversionModes.Saturate)) value = double.IsNaN(value) ? 0 : Math.Clamp(value, 0, 1);
        if (flags.HasFlag(ConversionModes.Relu) && value <= 0) value = 0;
        return Round<TTarget>(value, modes);
    }

    private static TTarget Round<TTarget>(double value, long modes) where TTarget : unmanaged
    {
        var rounding = (RoundingMode)(modes & RoundingBits);
        if (typeof(TTarget) == typeof(Half))
        {
            var half = Rounding.ToHalf(value, rounding);
            return *(TTarget*)&half;
        }
        if (typeof(TTarget) == typeof(float))
        {
            var single = Rounding.ToSingle(value, rounding);
            if ((modes & (long)ConversionModes.Flush) != 0) single = Rounding.Flush(single);
            return *(TTarget*)&single;
        }
        return *(TTarget*)&value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsReal<T>() =>
        typeof(T) == typeof(float) || typeof(T) == typeof(double) || typeof(T) == typeof(Half);
}
