using System.Runtime.Intrinsics;
using PtxSimulator.Counting;
using PtxSimulator.Decoding;
using PtxSimulator.Execution;
using Floats = System.Runtime.Intrinsics.Vector512<float>;

namespace PtxSimulator.Instructions;

/// <summary>Arithmetic of float32. NaN results are the device's own, 0x7FFFFFFF.</summary>
internal static unsafe class SingleForms
{
    private const InstructionClass Float = InstructionClass.Float32;

    public static void Add(FormTable table)
    {
        foreach (var rounding in new[] { "", ".rn" })
        {
            AddBinary<Sum>(table, $"add{rounding}");
            AddBinary<Difference>(table, $"sub{rounding}");
            AddBinary<Product>(table, $"mul{rounding}");
        }
        AddBinary<Least>(table, "min");
        AddBinary<Greatest>(table, "max");
        AddBinary<LeastOrNaN>(table, "min.NaN");
        AddBinary<GreatestOrNaN>(table, "max.NaN");
        AddBinary<Quotient>(table, "div.rn");
        AddBinary<Quotient>(table, "div.full");
        AddBinary<Quotient>(table, "div.approx");
        table.Add("copysign.f32", &Elementwise.BinaryEach<float, float, WithSign>, "Www", Float);
        table.Add("fma.rn.f32", &Elementwise.Ternary<float, Fused>, "Wwww", Float);
        table.Add("fma.rn.ftz.f32", &Elementwise.Ternary<float, FlushedTernary<Fused>>, "Wwww", Float);
        AddUnary<Negation>(table, "neg", Float);
        AddUnary<Magnitude>(table, "abs", Float);
        AddUnary<Root>(table, "sqrt.rn", InstructionClass.Special);
        AddUnary<Root>(table, "sqrt.approx", InstructionClass.Special);
        AddUnary<Reciprocal>(table, "rcp.rn", InstructionClass.Special);
        AddUnary<Reciprocal>(table, "rcp.approx", InstructionClass.Special);
        AddEach<Sine>(table, "sin.approx");
        AddEach<Cosine>(table, "cos.approx");
        AddEach<PowerOfTwo>(table, "ex2.approx");
        AddEach<Logarithm>(table, "lg2.approx");
        AddEach<ReciprocalRoot>(table, "rsqrt.approx");
        AddEach<HyperbolicTangent>(table, "tanh.approx");
        (RoundingMode, string)[] directions =
            [(RoundingMode.Zero, "rz"), (RoundingMode.Down, "rm"), (RoundingMode.Up, "rp")];
        foreach (var (mode, name) in directions)
        {
            table.Add($"add.{name}.f32", &Directed<DirectedSum>, "Www", Float, (long)mode);
            table.Add($"sub.{name}.f32", &Directed<DirectedDifference>, "Www", Float, (long)mode);
            table.Add($"mul.{name}.f32", &Directed<DirectedProduct>, "Www", Float, (long)mode);
            table.Add($"div.{name}.f32", &Directed<DirectedQuotient>, "Www", Float, (long)mode);
            table.Add($"fma.{name}.f32", &DirectedFused, "Wwww", Float, (long)mode);
        }
    }

    private static void AddBinary<T>(FormTable table, string name) where T : struct, IBinary<float>
    {
        table.Add($"{name}.f32", &Elementwise.Binary<float, T>, "Www", Float);
        table.Add($"{name}.ftz.f32", &Elementwise.Binary<float, FlushedBinary<T>>, "Www", Float);
    }

    private static void AddUnary<T>(FormTable table, string name, InstructionClass kind) where T : struct, IUnary<float>
    {
        table.Add($"{name}.f32", &Elementwise.Unary<float, T>, "Ww", kind);
        table.Add($"{name}.ftz.f32", &Elementwise.Unary<float, FlushedUnary<T>>, "Ww", kind);
    }

    private static void AddEach<T>(FormTable table, string name) where T : struct, IUnary<float, float>
    {
        table.Add($"{name}.f32", &Elementwise.UnaryEach<float, float, T>, "Ww", InstructionClass.Special);
        if (name != "tanh.approx")
            table.Add($"{name}.ftz.f32", &Elementwise.UnaryEach<float, float, FlushedEach<T>>, "Ww",
                InstructionClass.Special);
    }

    /// <summary>The device's NaN in place of any other.</summary>
    public static Floats Canonical(Floats value) => Vector512.ConditionalSelect(
        Vector512.Equals(value, value), value, Vector512.Create(Rounding.CanonicalNaN).AsSingle());

    // Subnormal numbers become zeros of the same sign.
    public static Floats Flush(Floats value)
    {
        var sign = value.AsUInt32() & Vector512.Create(0x80000000u);
        var subnormal = Vector512.LessThan(
            Vector512.Abs(value), Vector512.Create(BitConverter.UInt32BitsToSingle(0x00800000)));
        return Vector512.ConditionalSelect(subnormal, sign.AsSingle(), value);
    }

    private static void Directed<T>(Warp warp, Op* op) where T : struct, IBinary<double, double>
    {
        var d = warp.Registers + op->D;
        var a = (float*)(warp.Registers + op->A);
        var b = (float*)(warp.Registers + op->B);
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            Lanes.Set(d, lane, Rounding.ToSingle(T.Of(a[lane], b[lane]), (RoundingMode)op->Immediate));
        }
    }

    private static void DirectedFused(Warp warp, Op* op)
    {
        var d = warp.Registers + op->D;
        var a = (float*)(warp.Registers + op->A);
        var b = (float*)(warp.Registers + op->B);
        var c = (float*)(warp.Registers + op->C);
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            var sum = Rounding.AddToOdd((double)a[lane] * b[lane], c[lane]);
            Lanes.Set(d, lane, Rounding.ToSingle(sum, (RoundingMode)op->Immediate));
        }
    }

    private readonly struct FlushedUnary<T> : IUnary<float> where T : struct, IUnary<float>
    {
        public static Floats Of(Floats a) => Flush(T.Of(Flush(a)));
    }

    private readonly struct FlushedBinary<T> : IBinary<float> where T : struct, IBinary<float>
    {
        public static Floats Of(Floats a, Floats b) => Flush(T.Of(Flush(a), Flush(b)));
    }

    private readonly struct FlushedTernary<T> : ITernary<float> where T : struct, ITernary<float>
    {
        public static Floats Of(Floats a, Floats b, Floats c) =>
            Flush(T.Of(Flush(a), Flush(b), Flush(c)));
    }

    private readonly struct FlushedEach<T> : IUnary<float, float> where T : struct, IUnary<float, float>
    {
        public static float Of(float a) => Rounding.Flush(T.Of(Rounding.Flush(a)));
    }

    private readonly struct Sum : IBinary<float>
    {
        public static Floats Of(Floats a, Floats b) => Canonical(a + b);
    }

    private readonly struct Difference : IBinary<float>
    {
        public static Floats Of(Floats a, Floats b) => Canonical(a - b);
    }

    private readonly struct Product : IBinary<float>
    {
        public static Floats Of(Floats a, Floats b) => Canonical(a * b);
    }

    private readonly struct Quotient : IBinary<float>
    {
        public static Floats Of(Floats a, Floats b) => Canonical(a / b);
    }

    private readonly struct Fused : ITernary<float>
    {
        public static Floats Of(Floats a, Floats b, Floats c) =>
            Canonical(Vector512.FusedMultiplyAdd(a, b, c));
    }

    // One NaN is ignored, and -0 lies below +0.
    private readonly struct Least : IBinary<float>
    {
        public static Floats Of(Floats a, Floats b) => Canonical(Vector512.MinNumber(a, b));
    }

    private readonly struct Greatest : IBinary<float>
    {
        public static Floats Of(Floats a, Floats b) => Canonical(Vector512.MaxNumber(a, b));
    }

    private readonly struct LeastOrNaN : IBinary<float>
    {
        public static Floats Of(Floats a, Floats b) => Canonical(Vector512.Min(a, b));
    }

    private readonly struct GreatestOrNaN : IBinary<float>
    {
        public static Floats Of(Floats a, Floats b) => Canonical(Vector512.Max(a, b));
    }

    // The sign of a, the magnitude of b.
    private readonly struct WithSign : IBinary<float, float>
    {
        public static float Of(float a, float b) => float.CopySign(b, a);
    }

    private readonly struct Negation : IUnary<float>
    {
        public static Floats Of(Floats a) => a ^ Vector512.Create(-0f);
    }

    private readonly struct Magnitude : IUnary<float>
    {
        public static Floats Of(Floats a) => Vector512.Abs(a);
    }

    private readonly struct Root : IUnary<float>
    {
        public static Floats Of(Floats a) => Canonical(Vector512.Sqrt(a));
    }

    private readonly struct Reciprocal : IUnary<float>
    {
        public static Floats Of(Floats a) => Canonical(Vector512<float>.One / a);
    }

    // Approximations are not those of a device: they are computed in double and rounded once.
    private static float Rounded(double value) => Rounding.ToSingle(value, RoundingMode.Nearest);

    private readonly struct Sine : IUnary<float, float>
    {
        public static float Of(float a) => Rounded(Math.Sin(a));
    }

    private readonly struct Cosine : IUnary<float, float>
    {
        public static float Of(float a) => Rounded(Math.Cos(a));
    }

    private readonly struct PowerOfTwo : IUnary<float, float>
    {
        public static float Of(float a) => Rounded(Math.Pow(2, a));
    }

    private readonly struct Logarithm : IUnary<float, float>
    {
        public static float Of(float a) => Rounded(Math.Log2(a));
    }

    private readonly struct ReciprocalRoot : IUnary<float, float>
    {
        public static float Of(float a) => Rounded(1 / Math.Sqrt(a));
    }

    private readonly struct HyperbolicTangent : IUnary<float, float>
    {
        public static float Of(float a) => Rounded(Math.Tanh(a));
    }

    private readonly struct DirectedSum : IBinary<double, double>
    {
        public static double Of(double a, double b) => Rounding.AddToOdd(a, b);
    }

    private readonly struct DirectedDifference : IBinary<double, double>
    {
        public static double Of(double a, double b) => Rounding.AddToOdd(a, -b);
    }

    private readonly struct DirectedProduct : IBinary<double, double>
    {
        public static double Of(double a, double b) => a * b;
    }

    private readonly struct DirectedQuotient : IBinary<double, double>
    {
        public static double Of(double a, double b)
        {
            var quotient = a / b;
            var remainder = Math.FusedMultiplyAdd(-quotient, b, a);
            return Rounding.ToOdd(quotient, b < 0 ? -remainder : remainder);
        }
    }
}
