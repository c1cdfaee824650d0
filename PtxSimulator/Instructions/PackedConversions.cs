using System.Numerics;
using System.Runtime.Intrinsics;
using PtxSimulator.Counting;
using PtxSimulator.Decoding;
using PtxSimulator.Execution;

namespace PtxSimulator.Instructions;

/// <summary>Conversions into pairs of 16 and of 8 bits, and those of bfloat16 and tf32.</summary>
internal static unsafe class PackedConversions
{
    private const InstructionClass Conversion = InstructionClass.Conversion;

    public static void Add(FormTable table)
    {
        foreach (var (rounding, mode) in new[] { ("rn", RoundingMode.Nearest), ("rz", RoundingMode.Zero) })
        {
            table.Add($"cvt.{rounding}.relu.f16x2.f32", &Pair<Half16, On>, "Www", Conversion, (long)mode);
            table.Add($"cvt.{rounding}.bf16x2.f32", &Pair<Brain16, Off>, "Www", Conversion, (long)mode);
            table.Add($"cvt.{rounding}.relu.bf16x2.f32", &Pair<Brain16, On>, "Www", Conversion, (long)mode);
            table.Add($"cvt.{rounding}.bf16.f32", &ToBrain<Off>, "Hw", Conversion, (long)mode);
            table.Add($"cvt.{rounding}.relu.bf16.f32", &ToBrain<On>, "Hw", Conversion, (long)mode);
        }
        table.Add("cvt.rn.f16x2.f32", &NearestPair, "Www", Conversion);
        table.Add("cvt.rz.f16x2.f32", &Pair<Half16, Off>, "Www", Conversion, (long)RoundingMode.Zero);
        table.Add("cvt.f32.bf16", &Elementwise.UnaryEach<ushort, float, FromBrain>, "Wh", Conversion);
        table.Add("cvt.rna.tf32.f32", &Elementwise.UnaryEach<uint, uint, ToTensorFloat>, "Ww", Conversion);
        table.Add(
            "cvt.rn.satfinite.e4m3x2.f32", &Elementwise.BinaryEach<float, ushort, EightBitPair<Off>>, "Hww",
            Conversion);
        table.Add(
            "cvt.rn.satfinite.relu.e4m3x2.f32", &Elementwise.BinaryEach<float, ushort, EightBitPair<On>>, "Hww",
            Conversion);
        table.Add(
            "cvt.pack.sat.u8.s32.b32", &Elementwise.TernaryEach<int, int, SaturatedPair<byte>>, "Wwww", Conversion);
        table.Add(
            "cvt.pack.sat.s8.s32.b32", &Elementwise.TernaryEach<int, int, SaturatedPair<sbyte>>, "Wwww", Conversion);
    }

    // d = {a in the high half, b in the low half}
    private static void Pair<TFormat, TRelu>(Warp warp, Op* op)
        where TFormat : struct, INarrow where TRelu : struct, ISwitch
    {
        var d = (uint*)(warp.Registers + op->D);
        var a = (float*)(warp.Registers + op->A);
        var b = (float*)(warp.Registers + op->B);
        var mode = (RoundingMode)op->Immediate;
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            d[lane] = (uint)Narrow<TFormat, TRelu>(a[lane], mode) << 16 | Narrow<TFormat, TRelu>(b[lane], mode);
        }
    }

    private static void NearestPair(Warp warp, Op* op)
    {
        var d = warp.Registers + op->D;
        var a = warp.Registers + op->A;
        var b = warp.Registers + op->B;
        for (var i = 0; i < 128; i += 64)
        {
            var high = HalfVectors.Round(Vector512.Load((float*)(a + i)));
            Lanes.Put(d, i, high << 16 | HalfVectors.Round(Vector512.Load((float*)(b + i))), warp.Mask);
        }
    }

    private static void ToBrain<TRelu>(Warp warp, Op* op) where TRelu : struct, ISwitch
    {
        var d = (uint*)(warp.Registers + op->D);
        var a = (float*)(warp.Registers + op->A);
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            d[lane] = Narrow<Brain16, TRelu>(a[lane], (RoundingMode)op->Immediate);
        }
    }

    private static ushort Narrow<TFormat, TRelu>(float value, RoundingMode mode)
        where TFormat : struct, INarrow where TRelu : struct, ISwitch =>
        TFormat.Round(TRelu.On && value <= 0 ? 0 : value, mode);

    private interface INarrow
    {
        static abstract ushort Round(float value, RoundingMode mode);
    }

    private readonly struct Half16 : INarrow
    {
        public static ushort Round(float value, RoundingMode mode) =>
            BitConverter.HalfToUInt16Bits(Rounding.ToHalf(value, mode));
    }

    private readonly struct Brain16 : INarrow
    {
        public static ushort Round(float value, RoundingMode mode) => Rounding.ToBrain(value, mode);
    }

    // d = {a in the high byte, b in the low byte}
    private readonly struct EightBitPair<TRelu> : IBinary<float, ushort> where TRelu : struct, ISwitch
    {
        public static ushort Of(float a, float b) => (ushort)(Narrow(a) << 8 | Narrow(b));

        private static byte Narrow(float value) => EightBitFloat.Round(TRelu.On && value <= 0 ? 0 : value);
    }

    // d = {low half of c, a in the second byte, b in the first}
    private readonly struct SaturatedPair<T> : ITernary<int, int> where T : IBinaryInteger<T>
    {
        public static int Of(int a, int b, int c) => c << 16 | Narrow(a) << 8 | Narrow(b);

        private static int Narrow(int value) => byte.CreateTruncating(T.CreateSaturating(value));
    }

    private readonly struct FromBrain : IUnary<ushort, float>
    {
        public static float Of(ushort a) => Rounding.FromBrain(a);
    }

    // To 10 bits behind the point, ties away from zero.
    private readonly struct ToTensorFloat : IUnary<uint, uint>
    {
        public static uint Of(uint a) => (a & 0x7FFFFFFF) > 0x7F800000 ? Rounding.CanonicalNaN
            : (a & 0x7F800000) == 0x7F800000 ? a : a + 0x1000 & 0xFFFFE000;
    }
}
