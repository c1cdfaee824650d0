using PtxSimulator.Counting;
using PtxSimulator.Decoding;
using PtxSimulator.Execution;

namespace PtxSimulator.Instructions;

/// <summary>Arithmetic of float16 and bfloat16, alone and in pairs. Every result is rounded once.</summary>
internal static unsafe class HalfForms
{
    private const InstructionClass HalfClass = InstructionClass.Half;

    public static void Add(FormTable table)
    {
        AddFormat<Half16>(table, "f16");
        AddFormat<Brain16>(table, "bf16");
        table.Add("fma.rn.relu.f16", &Single<Half16, Fused<Half16, Relu>>, "Hhhh", HalfClass);
        table.Add("fma.rn.relu.f16x2", &Pair<Half16, Fused<Half16, Relu>>, "Wwww", HalfClass);
        table.Add("fma.rn.relu.bf16", &Single<Brain16, Fused<Brain16, Relu>>, "Hhhh", HalfClass);
        table.Add("fma.rn.relu.bf16x2", &Pair<Brain16, Fused<Brain16, Relu>>, "Wwww", HalfClass);
        table.Add("ex2.approx.f16", &Single<Half16, PowerOfTwo<Half16>>, "Hh", HalfClass);
        table.Add("ex2.approx.f16x2", &Pair<Half16, PowerOfTwo<Half16>>, "Ww", HalfClass);
        table.Add("tanh.approx.f16", &Single<Half16, HyperbolicTangent<Half16>>, "Hh", HalfClass);
        table.Add("tanh.approx.f16x2", &Pair<Half16, HyperbolicTangent<Half16>>, "Ww", HalfClass);
    }

    private static void AddFormat<T>(FormTable table, string type) where T : struct, IFormat
    {
        foreach (var rounding in new[] { "", ".rn" })
        {
            AddBoth<T, Sum<T>>(table, $"add{rounding}.{type}", 2);
            AddBoth<T, Difference<T>>(table, $"sub{rounding}.{type}", 2);
            AddBoth<T, Product<T>>(table, $"mul{rounding}.{type}", 2);
        }
        AddBoth<T, Fused<T, NoRelu>>(table, $"fma.rn.{type}", 3);
        AddBoth<T, Least<T>>(table, $"min.{type}", 2);
        AddBoth<T, Greatest<T>>(table, $"max.{type}", 2);
        AddBoth<T, LeastOrNaN<T>>(table, $"min.NaN.{type}", 2);
        AddBoth<T, GreatestOrNaN<T>>(table, $"max.NaN.{type}", 2);
        AddBoth<T, Negation<T>>(table, $"neg.{type}", 1);
        AddBoth<T, Magnitude<T>>(table, $"abs.{type}", 1);
    }

    private static void AddBoth<T, TOperation>(FormTable table, string name, int sources)
        where T : struct, IFormat where TOperation : struct, IOperation
    {
        table.Add(name, &Single<T, TOperation>, "H" + new string('h', sources), HalfClass);
        table.Add(name + "x2", &Pair<T, TOperation>, "W" + new string('w', sources), HalfClass);
    }

    private static void Single<T, TOperation>(Warp warp, Op* op)
        where T : struct, IFormat where TOperation : struct, IOperation
    {
        var d = (uint*)(warp.Registers + op->D);
        var a = (uint*)(warp.Registers + op->A);
        var b = (uint*)(warp.Registers + op->B);
        var c = (uint*)(warp.Registers + op->C);
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            d[lane] = TOperation.Of((ushort)a[lane], (ushort)b[lane], (ushort)c[lane]);
        }
    }

    private static void Pair<T, TOperation>(Warp warp, Op* op)
        where T : struct, IFormat where TOperation : struct, IOperation
    {
        var d = (uint*)(warp.Registers + op->D);
        var a = (uint*)(warp.Registers + op->A);
        var b = (uint*)(warp.Registers + op->B);
        var c = (uint*)(warp.Registers + op->C);
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            var low = TOperation.Of((ushort)a[lane], (ushort)b[lane], (ushort)c[lane]);
            var high = TOperation.Of((ushort)(a[lane] >> 16), (ushort)(b[lane] >> 16), (ushort)(c[lane] >> 16));
            d[lane] = low | (uint)high << 16;
        }
    }

    /// <summary>A format of 16 bits.</summary>
    private interface IFormat
    {
        static abstract double Read(ushort bits);
        static abstract ushort Round(double value);
    }

    private readonly struct Half16 : IFormat
    {
        public static double Read(ushort bits) => (double)BitConverter.UInt16BitsToHalf(bits);
        public static ushort Round(double value) =>
            BitConverter.HalfToUInt16Bits(Rounding.ToHalf(value, RoundingMode.Nearest));
    }

    private readonly struct Brain16 : IFormat
    {
        public static double Read(ushort bits) => Rounding.FromBrain(bits);
        public static ushort Round(double value) => Rounding.ToBrain(value, RoundingMode.Nearest);
    }

    /// <summary>On the bits of one to three operands; those that an instruction lacks hold anything.</summary>
    private interface IOperation
    {
        static abstract ushort Of(ushort a, ushort b, ushort c);
    }

    private readonly struct Sum<T> : IOperation where T : struct, IFormat
    {
        public static ushort Of(ushort a, ushort b, ushort c) => T.Round(Rounding.AddToOdd(T.Read(a), T.Read(b)));
    }

    private readonly struct Difference<T> : IOperation where T : struct, IFormat
    {
        public static ushort Of(ushort a, ushort b, ushort c) => T.Round(Rounding.AddToOdd(T.Read(a), -T.Read(b)));
    }

    private readonly struct Product<T> : IOperation where T : struct, IFormat
    {
        public static ushort Of(ushort a, ushort b, ushort c) => T.Round(T.Read(a) * T.Read(b));
    }

    private readonly struct Fused<T, TRelu> : IOperation where T : struct, IFormat where TRelu : struct, ISwitch
    {
        public static ushort Of(ushort a, ushort b, ushort c)
        {
            var sum = Rounding.AddToOdd(T.Read(a) * T.Read(b), T.Read(c));
            return T.Round(TRelu.On && sum <= 0 ? 0 : sum);
        }
    }

    private readonly struct Relu : ISwitch
    {
        public static bool On => true;
    }

    private readonly struct NoRelu : ISwitch
    {
        public static bool On => false;
    }

    private readonly struct Least<T> : IOperation where T : struct, IFormat
    {
        public static ushort Of(ushort a, ushort b, ushort c) => T.Round(double.MinNumber(T.Read(a), T.Read(b)));
    }

    private readonly struct Greatest<T> : IOperation where T : struct, IFormat
    {
        public static ushort Of(ushort a, ushort b, ushort c) => T.Round(double.MaxNumber(T.Read(a), T.Read(b)));
    }

    private readonly struct LeastOrNaN<T> : IOperation where T : struct, IFormat
    {
        public static ushort Of(ushort a, ushort b, ushort c) => T.Round(Math.Min(T.Read(a), T.Read(b)));
    }

    private readonly struct GreatestOrNaN<T> : IOperation where T : struct, IFormat
    {
        public static ushort Of(ushort a, ushort b, ushort c) => T.Round(Math.Max(T.Read(a), T.Read(b)));
    }

    private readonly struct Negation<T> : IOperation where T : struct, IFormat
    {
        public static ushort Of(ushort a, ushort b, ushort c) => (ushort)(a ^ 0x8000);
    }

    private readonly struct Magnitude<T> : IOperation where T : struct, IFormat
    {
        public static ushort Of(ushort a, ushort b, ushort c) => (ushort)(a & 0x7FFF);
    }

    private readonly struct PowerOfTwo<T> : IOperation where T : struct, IFormat
    {
        public static ushort Of(ushort a, ushort b, ushort c) => T.Round(Math.Pow(2, T.Read(a)));
    }

    private readonly struct HyperbolicTangent<T> : IOperation where T : struct, IFormat
    {
        public static ushort Of(ushort a, ushort b, ushort c) => T.Round(Math.Tanh(T.Read(a)));
    }
}
