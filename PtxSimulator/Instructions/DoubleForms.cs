using System.Runtime.Intrinsics;
using PtxSimulator.Counting;
using PtxSimulator.Decoding;
using Doubles = System.Runtime.Intrinsics.Vector512<double>;

namespace PtxSimulator.Instructions;

/// <summary>Arithmetic of float64, rounded to nearest.</summary>
internal static unsafe class DoubleForms
{
    private const InstructionClass Real = InstructionClass.Float64;

    public static void Add(FormTable table)
    {
        foreach (var rounding in new[] { "", ".rn" })
        {
            table.Add($"add{rounding}.f64", &Elementwise.Binary<double, Sum>, "Ddd", Real);
            table.Add($"sub{rounding}.f64", &Elementwise.Binary<double, Difference>, "Ddd", Real);
            table.Add($"mul{rounding}.f64", &Elementwise.Binary<double, Product>, "Ddd", Real);
        }
        table.Add("fma.rn.f64", &Elementwise.Ternary<double, Fused>, "Dddd", Real);
        table.Add("div.rn.f64", &Elementwise.Binary<double, Quotient>, "Ddd", Real);
        table.Add("sqrt.rn.f64", &Elementwise.Unary<double, Root>, "Dd", Real);
        table.Add("rcp.rn.f64", &Elementwise.Unary<double, Reciprocal>, "Dd", Real);
        table.Add("min.f64", &Elementwise.Binary<double, Least>, "Ddd", Real);
        table.Add("max.f64", &Elementwise.Binary<double, Greatest>, "Ddd", Real);
        table.Add("neg.f64", &Elementwise.Unary<double, Negation>, "Dd", Real);
        table.Add("abs.f64", &Elementwise.Unary<double, Magnitude>, "Dd", Real);
    }

    private readonly struct Sum : IBinary<double>
    {
        public static Doubles Of(Doubles a, Doubles b) => a + b;
    }

    private readonly struct Difference : IBinary<double>
    {
        public static Doubles Of(Doubles a, Doubles b) => a - b;
    }

    private readonly struct Product : IBinary<double>
    {
        public static Doubles Of(Doubles a, Doubles b) => a * b;
    }

    private readonly struct Quotient : IBinary<double>
    {
        public static Doubles Of(Doubles a, Doubles b) => a / b;
    }

    private readonly struct Fused : ITernary<double>
    {
        public static Doubles Of(Doubles a, Doubles b, Doubles c) =>
            Vector512.FusedMultiplyAdd(a, b, c);
    }

    private readonly struct Least : IBinary<double>
    {
        public static Doubles Of(Doubles a, Doubles b) => Vector512.MinNumber(a, b);
    }

    private readonly struct Greatest : IBinary<double>
    {
        public static Doubles Of(Doubles a, Doubles b) => Vector512.MaxNumber(a, b);
    }

    private readonly struct Root : IUnary<double>
    {
        public static Doubles Of(Doubles a) => Vector512.Sqrt(a);
    }

    private readonly struct Reciprocal : IUnary<double>
    {
        public static Doubles Of(Doubles a) => Vector512<double>.One / a;
    }

    private readonly struct Negation : IUnary<double>
    {
        public static Doubles Of(Doubles a) => a ^ Vector512.Create(-0d);
    }

    private readonly struct Magnitude : IUnary<double>
    {
        public static Doubles Of(Doubles a) => Vector512.Abs(a);
    }
}
