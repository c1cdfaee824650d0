using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using PtxSimulator.Decoding;
using PtxSimulator.Execution;

namespace PtxSimulator.Instructions;

/// <summary>mma.sync of bytes, m16n8k32. A register of a or b holds 8 rows (columns of b) of 16 of k, one after the
/// other; results lie as those of <see cref="MatrixForms"/>.</summary>
/// <remarks>Sums of integers are exact and wrap around. Those of e4m3 run in float32 along k as they do for halves; a
/// device may keep fewer bits.</remarks>
internal static unsafe class ByteMatrixForms
{
    private const int Depth = 32, RegisterDepth = 16, Rows = 8, RegisterBytes = Rows * RegisterDepth;
    private const int A = 8, B = 12, C = 4;  // of V: d, c, a, b

    public static void Add(FormTable table)
    {
        const string Shape = "mma.sync.aligned.m16n8k32.row.col";
        MatrixForms.Add(table, $"{Shape}.s32.s8.s8.s32", &MultiplyIntegers<Signed, Signed>, "4442");
        MatrixForms.Add(table, $"{Shape}.s32.u8.s8.s32", &MultiplyIntegers<Unsigned, Signed>, "4442");
        MatrixForms.Add(table, $"{Shape}.s32.s8.u8.s32", &MultiplyIntegers<Signed, Unsigned>, "4442");
        MatrixForms.Add(table, $"{Shape}.s32.u8.u8.s32", &MultiplyIntegers<Unsigned, Unsigned>, "4442");
        MatrixForms.Add(table, $"{Shape}.f32.e4m3.e4m3.f32", &MultiplyFloats, "4442");
    }

    [SkipLocalsInit]
    private static void MultiplyIntegers<TA, TB>(Warp warp, Op* op)
        where TA : struct, IByte where TB : struct, IByte
    {
        if (!MatrixForms.GatherAll(warp, op)) return;
        var registers = warp.Registers;
        var a = stackalloc short[Rows * Depth];
        var b = stackalloc short[Depth * Rows];  // [k / 2][column as MatrixForms orders them][k % 2]
        for (var i = 0; i < 2; i++)
        {
            var columns = registers + op->V[B + i];
            for (var k = 0; k < RegisterDepth; k++)
                for (var place = 0; place < Rows; place++)
                    b[(RegisterDepth * i + k) / 2 * 16 + 2 * place + k % 2] =
                        TB.Widen(columns[MatrixForms.ColumnAt(place) * RegisterDepth + k]);
        }
        for (var half = 0; half < 2; half++)
        {
            for (var i = 0; i < 2; i++)
            {
                var rows = registers + op->V[A + half + 2 * i];
                for (var row = 0; row < Rows; row++)
                    for (var k = 0; k < RegisterDepth; k++)
                        a[row * Depth + RegisterDepth * i + k] = TA.Widen(rows[row * RegisterDepth + k]);
            }
            var cEven = (int*)(registers + op->V[C + 2 * half]);
            var cOdd = (int*)(registers + op->V[C + 2 * half + 1]);
            var dEven = (int*)(registers + op->V[2 * half]);
            var dOdd = (int*)(registers + op->V[2 * half + 1]);
            for (var row = 0; row < Rows; row++)
            {
                var sum = Vector256.Create(Vector128.Load(cEven + 4 * row), Vector128.Load(cOdd + 4 * row));
                var pairs = (int*)(a + row * Depth);
                for (var k = 0; k < Depth / 2; k++)
                    sum += AddProducts(Vector256.Create(pairs[k]).AsInt16(), Vector256.Load(b + 16 * k));
                sum.GetLower().Store(dEven + 4 * row);
                sum.GetUpper().Store(dOdd + 4 * row);
            }
        }
    }

    [SkipLocalsInit]
    private static void MultiplyFloats(Warp warp, Op* op)
    {
        if (!MatrixForms.GatherAll(warp, op)) return;
        var registers = warp.Registers;
        var values = EightBitFloat.Values;
        var a = stackalloc float[4 * RegisterBytes];
        var b = stackalloc float[2 * RegisterBytes];
        for (var i = 0; i < 4; i++)
            for (var j = 0; j < RegisterBytes; j++) a[i * RegisterBytes + j] = values[(registers + op->V[A + i])[j]];
        for (var i = 0; i < 2; i++)
            for (var k = 0; k < RegisterDepth; k++)
                for (var place = 0; place < Rows; place++)
                    b[(RegisterDepth * i + k) * Rows + place] =
                        values[(registers + op->V[B + i])[MatrixForms.ColumnAt(place) * RegisterDepth + k]];
        for (var half = 0; half < 2; half++)
            MatrixForms.MultiplyRows(
                a + half * RegisterBytes, 2 * RegisterBytes, RegisterDepth, b, Depth,
                (float*)(registers + op->V[C + 2 * half]), (float*)(registers + op->V[C + 2 * half + 1]),
                (float*)(registers + op->V[2 * half]), (float*)(registers + op->V[2 * half + 1]));
    }

    // Of two neighbours each, in 32 bits.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> AddProducts(Vector256<short> a, Vector256<short> b)
    {
        if (Avx2.IsSupported) return Avx2.MultiplyAddAdjacent(a, b);
        var (wideA, wideB) = (a.AsInt32(), b.AsInt32());
        return (wideA << 16 >> 16) * (wideB << 16 >> 16) + (wideA >> 16) * (wideB >> 16);
    }

    private interface IByte
    {
        static abstract short Widen(byte bits);
    }

    private readonly struct Signed : IByte
    {
        public static short Widen(byte bits) => (sbyte)bits;
    }

    private readonly struct Unsigned : IByte
    {
        public static short Widen(byte bits) => bits;
    }
}
