using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using PtxSimulator.Counting;
using PtxSimulator.Decoding;
using PtxSimulator.Execution;

namespace PtxSimulator.Instructions;

/// <summary>ldmatrix and mma.sync. Fragments lie as the PTX manual says: a register of 16-bit elements holds an 8 x 8
/// matrix row by row (lane l: row l / 4, columns 2 (l % 4) and the next), one of float results its even or odd columns.
/// </summary>
/// <remarks>Sums run in float32 along k, one fused step per product. A device sums in another order and may keep fewer
/// bits, so results agree to rounding only.</remarks>
internal static unsafe class MatrixForms
{
    // Columns of b and of the results, as a pair of registers holds them: even ones, odd ones.
    private static ReadOnlySpan<byte> ColumnOrder => [0, 2, 4, 6, 1, 3, 5, 7];

    /// <summary>Floats out of a register of halves: an 8 x 8 matrix, row by row.</summary>
    public static void ExpandHalves(byte* register, float* target) => Expand<Half16>((ushort*)register, target);

    /// <summary>The column that stands at a place of a row of b as <see cref="MultiplyRows"/> takes it.</summary>
    public static int ColumnAt(int place) => ColumnOrder[place];

    public static void Add(FormTable table)
    {
        Add(table, "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32", &Multiply<Half16, On, On>, "4442");
        Add(table, "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32", &Multiply<Half16, Off, On>, "4421");
        Add(table, "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", &Multiply<Brain16, On, On>, "4442");
        Add(table, "mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32", &Multiply<Brain16, Off, On>, "4421");
        Add(table, "mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16", &Multiply<Half16, On, Off>, "2242");
        Add(table, "mma.sync.aligned.m16n8k8.row.col.f16.f16.f16.f16", &Multiply<Half16, Off, Off>, "2221");
        Add(table, "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32", &MultiplyTensorFloat<On>, "4442");
        Add(table, "mma.sync.aligned.m16n8k4.row.col.f32.tf32.tf32.f32", &MultiplyTensorFloat<Off>, "4421");
        ByteMatrixForms.Add(table);
    }

    // Registers of d, c, a, b.
    public static void Add(FormTable table, string opcode, delegate*<Warp, Op*, void> run, string registers) =>
        table.Add(opcode, run, $"M{registers}", InstructionClass.Mma);

    /// <summary>ldmatrix: <see cref="Op.Count"/> matrices, transposed or not. Lane 8 i + r names row r of matrix
    /// i.</summary>
    public static void Load<TTransposed>(Warp warp, Op* op) where TTransposed : struct, ISwitch
    {
        if (!GatherAll(warp, op)) return;
        warp.Mask = op->Count == 4 ? ~0u : (1u << 8 * op->Count) - 1;
        op->Resolve(warp, op);
        warp.Mask = ~0u;
        for (var matrix = 0; matrix < op->Count; matrix++)
        {
            var d = warp.Registers + op->V[matrix];
            var rows = warp.Offsets + 8 * matrix;
            // A register of 32 lanes is the matrix itself, row after row.
            for (var row = 0; row < 8; row++) Vector128.Load(warp.Base + rows[row]).Store(d + 16 * row);
            if (TTransposed.On) Transpose((ushort*)d);
        }
    }

    private static void Transpose(ushort* matrix)
    {
        if (Avx512BW.IsSupported)
        {
            var (first, second) = (Vector512.Load(matrix), Vector512.Load(matrix + 32));
            var order = Vector512.Create((ushort)0, 8, 16, 24, 32, 40, 48, 56, 1, 9, 17, 25, 33, 41, 49, 57,
                2, 10, 18, 26, 34, 42, 50, 58, 3, 11, 19, 27, 35, 43, 51, 59);
            Avx512BW.PermuteVar32x16x2(first, order, second).Store(matrix);
            Avx512BW.PermuteVar32x16x2(first, order + Vector512.Create((ushort)4), second).Store(matrix + 32);
            return;
        }
        for (var row = 0; row < 8; row++)
            for (var column = row + 1; column < 8; column++)
                (matrix[8 * row + column], matrix[8 * column + row]) =
                    (matrix[8 * column + row], matrix[8 * row + column]);
    }

    // V: d, c, a, b. a in fragments of 8 x 8 (upper rows, lower rows; then the next 8 of k), b in fragments of 8 of k.
    [SkipLocalsInit]
    private static void Multiply<TFormat, TDeep, TWide>(Warp warp, Op* op)
        where TFormat : struct, IFormat where TDeep : struct, ISwitch where TWide : struct, ISwitch
    {
        if (!GatherAll(warp, op)) return;
        var registers = warp.Registers;
        var results = TWide.On ? 4 : 2;
        var a = stackalloc float[256];
        var b = stackalloc float[128];
        var depth = TDeep.On ? 2 : 1;
        var (firstA, firstB) = (2 * results, 2 * results + 2 * depth);
        for (var i = 0; i < 2 * depth; i++) Expand<TFormat>((ushort*)(registers + op->V[firstA + i]), a + 64 * i);
        for (var i = 0; i < depth; i++) ExpandTransposed<TFormat>((ushort*)(registers + op->V[firstB + i]), b + 64 * i);
        if (TWide.On)
        {
            for (var half = 0; half < 2; half++)
                MultiplyRows(a + 64 * half, 128, 8, b, 8 * depth,
                    (float*)(registers + op->V[4 + 2 * half]), (float*)(registers + op->V[5 + 2 * half]),
                    (float*)(registers + op->V[2 * half]), (float*)(registers + op->V[1 + 2 * half]));
            return;
        }
        var even = stackalloc float[32];
        var odd = stackalloc float[32];
        for (var half = 0; half < 2; half++)
        {
            Unpack((ushort*)(registers + op->V[2 + half]), even, odd);
            MultiplyRows(a + 64 * half, 128, 8, b, 8 * depth, even, odd, even, odd);
            Pack(even, odd, (ushort*)(registers + op->V[half]));
        }
    }

    [SkipLocalsInit]
    private static void MultiplyTensorFloat<TDeep>(Warp warp, Op* op) where TDeep : struct, ISwitch
    {
        if (!GatherAll(warp, op)) return;
        var registers = warp.Registers;
        var a = stackalloc float[128];
        var b = stackalloc float[64];
        var depth = TDeep.On ? 2 : 1;
        for (var i = 0; i < 2 * depth; i++) Truncate((uint*)(registers + op->V[8 + i]), a + 32 * i);
        for (var i = 0; i < depth; i++)
        {
            var source = (uint*)(registers + op->V[8 + 2 * depth + i]);
            for (var k = 0; k < 4; k++)
                for (var n = 0; n < 8; n++)
                    ((uint*)b)[(4 * i + k) * 8 + n] = source[ColumnOrder[n] * 4 + k] & 0xFFFFE000;
        }
        for (var half = 0; half < 2; half++)
            MultiplyRows(a + 32 * half, 64, 4, b, 4 * depth,
                (float*)(registers + op->V[4 + 2 * half]), (float*)(registers + op->V[5 + 2 * half]),
                (float*)(registers + op->V[2 * half]), (float*)(registers + op->V[1 + 2 * half]));
    }

    /// <summary>Eight rows of results. Row g of a starts at g * width, further fragments of k lie stride
    /// apart.</summary>
    public static void MultiplyRows(
        float* a, int stride, int width, float* b, int depth, float* cEven, float* cOdd, float* dEven, float* dOdd)
    {
        var (r0, r1) = (Row(cEven, cOdd, 0), Row(cEven, cOdd, 1));
        var (r2, r3) = (Row(cEven, cOdd, 2), Row(cEven, cOdd, 3));
        var (r4, r5) = (Row(cEven, cOdd, 4), Row(cEven, cOdd, 5));
        var (r6, r7) = (Row(cEven, cOdd, 6), Row(cEven, cOdd, 7));
        for (var first = 0; first < depth; first += width, a += stride)
            for (var k = 0; k < width; k++, b += 8)
            {
                var column = Vector256.Load(b);
                r0 = Vector256.FusedMultiplyAdd(Vector256.Create(a[k]), column, r0);
                r1 = Vector256.FusedMultiplyAdd(Vector256.Create(a[k + width]), column, r1);
                r2 = Vector256.FusedMultiplyAdd(Vector256.Create(a[k + 2 * width]), column, r2);
                r3 = Vector256.FusedMultiplyAdd(Vector256.Create(a[k + 3 * width]), column, r3);
                r4 = Vector256.FusedMultiplyAdd(Vector256.Create(a[k + 4 * width]), column, r4);
                r5 = Vector256.FusedMultiplyAdd(Vector256.Create(a[k + 5 * width]), column, r5);
                r6 = Vector256.FusedMultiplyAdd(Vector256.Create(a[k + 6 * width]), column, r6);
                r7 = Vector256.FusedMultiplyAdd(Vector256.Create(a[k + 7 * width]), column, r7);
            }
        PutRow(dEven, dOdd, 0, r0);
        PutRow(dEven, dOdd, 1, r1);
        PutRow(dEven, dOdd, 2, r2);
        PutRow(dEven, dOdd, 3, r3);
        PutRow(dEven, dOdd, 4, r4);
        PutRow(dEven, dOdd, 5, r5);
        PutRow(dEven, dOdd, 6, r6);
        PutRow(dEven, dOdd, 7, r7);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Row(float* even, float* odd, int row) =>
        Vector256.Create(Vector128.Load(even + 4 * row), Vector128.Load(odd + 4 * row));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PutRow(float* even, float* odd, int row, Vector256<float> value)
    {
        value = Vector256.ConditionalSelect(
            Vector256.Equals(value, value), value, Vector256.Create(Rounding.CanonicalNaN).AsSingle());
        value.GetLower().Store(even + 4 * row);
        value.GetUpper().Store(odd + 4 * row);
    }

    /// <summary>All lanes of a full warp must be here; lanes that ended or never were make the instruction undefined.
    /// </summary>
    public static bool GatherAll(Warp warp, Op* op)
    {
        if (!warp.Gather(op, ~0u)) return false;
        if (warp.Mask == ~0u) return true;
        throw warp.Block.Fault(FaultKind.WarpDivergence, warp, op, BitOperations.TrailingZeroCount(warp.Mask),
            $"only lanes 0x{warp.Mask:X8} of the warp are there, but this instruction takes all 32.");
    }

    private static void Expand<TFormat>(ushort* source, float* target) where TFormat : struct, IFormat
    {
        for (var i = 0; i < 64; i += 32)
        {
            var (low, high) = Vector512.Widen(Vector512.Load(source + i));
            TFormat.Expand(low).Store(target + i);
            TFormat.Expand(high).Store(target + i + 16);
        }
    }

    // From columns of b, one after the other, to its rows: target[k][n] with n in column order.
    private static void ExpandTransposed<TFormat>(ushort* source, float* target) where TFormat : struct, IFormat
    {
        if (Avx512BW.IsSupported)
        {
            var (first, second) = (Vector512.Load(source), Vector512.Load(source + 32));
            var order = Vector512.Create((ushort)0, 16, 32, 48, 8, 24, 40, 56, 1, 17, 33, 49, 9, 25, 41, 57,
                2, 18, 34, 50, 10, 26, 42, 58, 3, 19, 35, 51, 11, 27, 43, 59);
            for (var k = 0; k < 8; k += 4)
            {
                var rows = Avx512BW.PermuteVar32x16x2(first, order + Vector512.Create((ushort)k), second);
                var (low, high) = Vector512.Widen(rows);
                TFormat.Expand(low).Store(target + 8 * k);
                TFormat.Expand(high).Store(target + 8 * k + 16);
            }
            return;
        }
        var transposed = stackalloc ushort[64];
        for (var k = 0; k < 8; k++)
            for (var n = 0; n < 8; n++) transposed[8 * k + n] = source[8 * ColumnOrder[n] + k];
        Expand<TFormat>(transposed, target);
    }

    private static void Truncate(uint* source, float* target)
    {
        for (var i = 0; i < 32; i += 16)
            (Vector512.Load(source + i) & Vector512.Create(0xFFFFE000)).AsSingle().Store(target + i);
    }

    private static void Unpack(ushort* source, float* even, float* odd)
    {
        for (var lane = 0; lane < 32; lane++)
        {
            even[lane] = (float)BitConverter.UInt16BitsToHalf(source[2 * lane]);
            odd[lane] = (float)BitConverter.UInt16BitsToHalf(source[2 * lane + 1]);
        }
    }

    private static void Pack(float* even, float* odd, ushort* target)
    {
        for (var lane = 0; lane < 32; lane++)
        {
            target[2 * lane] = BitConverter.HalfToUInt16Bits(Rounding.ToHalf(even[lane], RoundingMode.Nearest));
            target[2 * lane + 1] = BitConverter.HalfToUInt16Bits(Rounding.ToHalf(odd[lane], RoundingMode.Nearest));
        }
    }

    private interface IFormat
    {
        /// <summary>Floats out of 16 bits each.</summary>
        static abstract Vector512<float> Expand(Vector512<uint> bits);
    }

    private readonly struct Half16 : IFormat
    {
        public static Vector512<float> Expand(Vector512<uint> bits) => HalfVectors.Expand(bits);
    }

    private readonly struct Brain16 : IFormat
    {
        public static Vector512<float> Expand(Vector512<uint> bits) => (bits << 16).AsSingle();
    }
}
