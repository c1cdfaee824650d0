using PtxSimulator;

namespace EfficientAD.Tests.PtxSimulator.Instructions;

/// <summary>mma.sync and ldmatrix against plain loops. Which thread holds which element is written here again from the
/// PTX manual's formulas, one element at a time.</summary>
public class MatrixTests
{
    private const string Results = "{%f4, %f5, %f6, %f7}", Sums = "{%f0, %f1, %f2, %f3}";

    private static readonly Random Numbers = new(7);

    // Small integers: all sums are exact in every format.
    private static float[,] Matrix(int rows, int columns)
    {
        var matrix = new float[rows, columns];
        for (var row = 0; row < rows; row++)
            for (var column = 0; column < columns; column++) matrix[row, column] = Numbers.Next(-8, 9);
        return matrix;
    }

    private static float Product(float[,] a, float[,] b, float[,] c, int row, int column)
    {
        var sum = c[row, column];
        for (var k = 0; k < a.GetLength(1); k++) sum += a[row, k] * b[k, column];
        return sum;
    }

    private static uint Pair(Func<float, ushort> bits, float low, float high) => bits(low) | (uint)bits(high) << 16;

    private static ushort HalfBits(float value) => BitConverter.HalfToUInt16Bits((Half)value);

    private static ushort BrainBits(float value) => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16);

    [Theory]
    [InlineData("f16", 16)]
    [InlineData("f16", 8)]
    [InlineData("bf16", 16)]
    [InlineData("bf16", 8)]
    public void Multiply_Of16Bits_AgreesWithPlainLoops(string type, int depth)
    {
        var (a, b, c) = (Matrix(16, depth), Matrix(depth, 8), Matrix(16, 8));
        Func<float, ushort> bits = type == "f16" ? HalfBits : BrainBits;
        var (aCount, bCount) = (depth / 4, depth / 8);
        var input = new uint[32 * 10];
        for (var lane = 0; lane < 32; lane++)
        {
            var (group, thread) = (lane >> 2, lane & 3);
            for (var i = 0; i < aCount; i++)
            {
                // a0..a7: row group, or group + 8 for a2, a3, a6, a7; column 2 thread + (i & 1), plus 8 from a4 on.
                var (row, column) = (group + (i % 2) * 8, thread * 2 + i / 2 * 8);
                input[lane * 10 + i] = Pair(bits, a[row, column], a[row, column + 1]);
            }
            for (var i = 0; i < bCount; i++)
                input[lane * 10 + 4 + i] = Pair(bits, b[thread * 2 + i * 8, group], b[thread * 2 + 1 + i * 8, group]);
            for (var i = 0; i < 4; i++)
                input[lane * 10 + 6 + i] = BitConverter.SingleToUInt32Bits(c[group + i / 2 * 8, thread * 2 + (i & 1)]);
        }
        var aNames = string.Join(", ", Enumerable.Range(0, aCount).Select(i => $"%r{i}"));
        var bNames = string.Join(", ", Enumerable.Range(0, bCount).Select(i => $"%r{4 + i}"));
        var results = RunMultiply(input,
            $"mma.sync.aligned.m16n8k{depth}.row.col.f32.{type}.{type}.f32 " +
            $"{Results}, {{{aNames}}}, {{{bNames}}}, {Sums};");
        AssertProduct(a, b, c, results);
    }

    [Fact]
    public void Multiply_IntoHalves_AgreesWithPlainLoops()
    {
        var (a, b, c) = (Matrix(16, 16), Matrix(16, 8), Matrix(16, 8));
        var input = new uint[32 * 10];
        for (var lane = 0; lane < 32; lane++)
        {
            var (group, thread) = (lane >> 2, lane & 3);
            for (var i = 0; i < 4; i++)
                input[lane * 10 + i] =
                    Pair(HalfBits, a[group + i % 2 * 8, thread * 2 + i / 2 * 8],
                        a[group + i % 2 * 8, thread * 2 + 1 + i / 2 * 8]);
            for (var i = 0; i < 2; i++)
            {
                input[lane * 10 + 4 + i] =
                    Pair(HalfBits, b[thread * 2 + i * 8, group], b[thread * 2 + 1 + i * 8, group]);
                input[lane * 10 + 6 + i] =
                    Pair(HalfBits, c[group + i * 8, thread * 2], c[group + i * 8, thread * 2 + 1]);
            }
        }
        var packed = RunMultiply(input, """
            mov.b32 %r6, %f0; mov.b32 %r7, %f1;
            mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16 {%r8, %r9}, {%r0, %r1, %r2, %r3}, {%r4, %r5}, {%r6, %r7};
            mov.b32 %f4, %r8; mov.b32 %f5, %r9; mov.f32 %f6, %f0; mov.f32 %f7, %f0;
            """);
        for (var lane = 0; lane < 32; lane++)
            for (var i = 0; i < 4; i++)
            {
                var word = BitConverter.SingleToUInt32Bits(packed[lane * 4 + i / 2]);
                var value = (float)BitConverter.UInt16BitsToHalf((ushort)(word >> 16 * (i & 1)));
                Assert.Equal(Product(a, b, c, (lane >> 2) + i / 2 * 8, (lane & 3) * 2 + (i & 1)), value);
            }
    }

    [Theory]
    [InlineData(8)]
    [InlineData(4)]
    public void Multiply_OfTensorFloats_AgreesWithPlainLoops(int depth)
    {
        var (a, b, c) = (Matrix(16, depth), Matrix(depth, 8), Matrix(16, 8));
        var (aCount, bCount) = (depth / 2, depth / 4);
        var input = new uint[32 * 10];
        for (var lane = 0; lane < 32; lane++)
        {
            var (group, thread) = (lane >> 2, lane & 3);
            for (var i = 0; i < aCount; i++)
                // bits that tf32 lacks
                input[lane * 10 + i] = BitConverter.SingleToUInt32Bits(a[group + i % 2 * 8, thread + i / 2 * 4])
                    | 0x123;
            for (var i = 0; i < bCount; i++)
                input[lane * 10 + 4 + i] = BitConverter.SingleToUInt32Bits(b[thread + i * 4, group]);
            for (var i = 0; i < 4; i++)
                input[lane * 10 + 6 + i] = BitConverter.SingleToUInt32Bits(c[group + i / 2 * 8, thread * 2 + (i & 1)]);
        }
        var aNames = string.Join(", ", Enumerable.Range(0, aCount).Select(i => $"%r{i}"));
        var bNames = string.Join(", ", Enumerable.Range(0, bCount).Select(i => $"%r{4 + i}"));
        AssertProduct(a, b, c, RunMultiply(input,
            $"mma.sync.aligned.m16n8k{depth}.row.col.f32.tf32.tf32.f32 " +
            $"{Results}, {{{aNames}}}, {{{bNames}}}, {Sums};"));
    }

    /// <summary>Every byte of either sign, and sums that wrap around.</summary>
    [Theory]
    [InlineData("s8", "s8")]
    [InlineData("u8", "s8")]
    [InlineData("s8", "u8")]
    [InlineData("u8", "u8")]
    public void Multiply_OfIntegers_AgreesWithPlainLoops(string typeA, string typeB)
    {
        var (a, b) = (Bytes(16, 32), Bytes(32, 8));
        var c = new int[16, 8];
        for (var row = 0; row < 16; row++)
            for (var column = 0; column < 8; column++)
                c[row, column] = (row + column) % 3 == 0 ? int.MaxValue - row : row - 99 * column;
        var results = RunMultiply(ByteFragments(a, b, (row, column) => (uint)c[row, column]), $$"""
            mov.b32 %r10, %f0; mov.b32 %r11, %f1; mov.b32 %r12, %f2; mov.b32 %r13, %f3;
            mma.sync.aligned.m16n8k32.row.col.s32.{{typeA}}.{{typeB}}.s32
                {%r6, %r7, %r8, %r9}, {%r0, %r1, %r2, %r3}, {%r4, %r5}, {%r10, %r11, %r12, %r13};
            mov.b32 %f4, %r6; mov.b32 %f5, %r7; mov.b32 %f6, %r8; mov.b32 %f7, %r9;
            """);
        for (var lane = 0; lane < 32; lane++)
            for (var i = 0; i < 4; i++)
            {
                var (row, column) = (lane / 4 + i / 2 * 8, lane % 4 * 2 + i % 2);
                var sum = c[row, column];
                for (var k = 0; k < 32; k++)
                    sum = unchecked(sum + Value(typeA, a[row, k]) * Value(typeB, b[k, column]));
                Assert.Equal(sum, BitConverter.SingleToInt32Bits(results[lane * 4 + i]));
            }

        static int Value(string type, byte bits) => type == "s8" ? (sbyte)bits : bits;
    }

    [Fact]
    public void Multiply_OfEightBitFloats_AgreesWithPlainLoops()
    {
        // Powers of two and sums of two: products and sums are exact however a device adds them.
        // 0, -0, 1, -1, 2, 3, 1.5, -3, 0.5, 4, 2^-9, 9/8 2^-6
        byte[] numbers = [0x00, 0x80, 0x38, 0xB8, 0x40, 0x44, 0x3C, 0xC4, 0x30, 0x48, 0x01, 0x09];
        float[] values = [0, 0, 1, -1, 2, 3, 1.5f, -3, 0.5f, 4, 1 / 512f, 9 / 512f];
        var (a, b) = (new byte[16, 32], new byte[32, 8]);
        var (valuesA, valuesB, c) = (new float[16, 32], new float[32, 8], Matrix(16, 8));
        for (var k = 0; k < 32; k++)
        {
            for (var row = 0; row < 16; row++) Draw(out a[row, k], out valuesA[row, k]);
            for (var column = 0; column < 8; column++) Draw(out b[k, column], out valuesB[k, column]);
        }

        var results = PtxBench.Run<uint, float>(
            MultiplyBody(
                "mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32 " +
                $"{Results}, {{%r0, %r1, %r2, %r3}}, {{%r4, %r5}}, {Sums};"),
            ByteFragments(a, b, (row, column) => BitConverter.SingleToUInt32Bits(c[row, column])), 128, capability: 89);
        AssertProduct(valuesA, valuesB, c, results);

        void Draw(out byte bits, out float value)
        {
            var i = Numbers.Next(numbers.Length);
            (bits, value) = (numbers[i], values[i]);
        }
    }

    private static byte[,] Bytes(int rows, int columns)
    {
        var matrix = new byte[rows, columns];
        for (var row = 0; row < rows; row++)
            for (var column = 0; column < columns; column++) matrix[row, column] = (byte)Numbers.Next(256);
        return matrix;
    }

    // As the manual deals m16n8k32 to lanes: a0 to a15 are rows group and group + 8, by turns, of columns 4 thread + (i
    // & 3), plus 16 from a8 on; b0 to b7 are rows 4 thread + (i & 3), plus 16 from b4 on, of column group.
    private static uint[] ByteFragments(byte[,] a, byte[,] b, Func<int, int, uint> c)
    {
        var input = new uint[32 * 10];
        for (var lane = 0; lane < 32; lane++)
        {
            var (group, thread) = (lane >> 2, lane & 3);
            for (var i = 0; i < 16; i++)
                input[lane * 10 + i / 4] |=
                    (uint)a[group + i / 4 % 2 * 8, thread * 4 + (i & 3) + i / 8 * 16] << 8 * (i & 3);
            for (var i = 0; i < 8; i++)
                input[lane * 10 + 4 + i / 4] |= (uint)b[thread * 4 + (i & 3) + i / 4 * 16, group] << 8 * (i & 3);
            for (var i = 0; i < 4; i++) input[lane * 10 + 6 + i] = c(group + i / 2 * 8, thread * 2 + (i & 1));
        }

        return input;
    }

    private static float[] RunMultiply(uint[] input, string multiply) =>
        PtxBench.Run<uint, float>(MultiplyBody(multiply), input, 128);

    // Ten words per lane: a in %r0 to %r3, b in %r4 and %r5, c in %f0 to %f3; results from %f4 to %f7.
    private static string MultiplyBody(string multiply) => $$"""
        mul.wide.u32 %d0, %t, 40;
        add.s64 %d1, %in, %d0;
        ld.global.v2.u32 {%r0, %r1}, [%d1];
        ld.global.v2.u32 {%r2, %r3}, [%d1+8];
        ld.global.v2.u32 {%r4, %r5}, [%d1+16];
        ld.global.v2.f32 {%f0, %f1}, [%d1+24];
        ld.global.v2.f32 {%f2, %f3}, [%d1+32];
        {{multiply}}
        mul.wide.u32 %d0, %t, 16;
        add.s64 %d1, %out, %d0;
        st.global.v4.f32 [%d1], {%f4, %f5, %f6, %f7};
        """;

    private static void AssertProduct(float[,] a, float[,] b, float[,] c, float[] results)
    {
        for (var lane = 0; lane < 32; lane++)
            for (var i = 0; i < 4; i++)
                Assert.Equal(
                    Product(a, b, c, (lane >> 2) + i / 2 * 8, (lane & 3) * 2 + (i & 1)), results[lane * 4 + i]);
    }

    [Fact]
    public void Multiply_KeepsWhatIsNotFinite()
    {
        var input = new uint[320];
        input[0] = HalfBits(float.PositiveInfinity);                       // a[0, 0]
        // b[0, 0] = -1, b[0, n] = 0
        for (var lane = 0; lane < 32; lane++) input[lane * 10 + 4] = Pair(HalfBits, lane < 4 ? -1 : 0, 0);
        var results = RunMultiply(input,
            "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 " +
            $"{Results}, {{%r0, %r1, %r2, %r3}}, {{%r4, %r5}}, {Sums};");
        Assert.Equal(float.NegativeInfinity, results[0]);  // inf * -1
        Assert.Equal(0x7FFFFFFFu, BitConverter.SingleToUInt32Bits(results[1]));  // inf * 0
        Assert.Equal(0, results[2]);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    [InlineData(4, false)]
    [InlineData(4, true)]
    public void MatrixLoad_DealsRowsToLanes(int count, bool transposed)
    {
        // 32 rows of 8 elements; element e of row r is 8 r + e.
        var input = Enumerable.Range(0, 256).Select(i => (ushort)i).ToArray();
        var names = string.Join(", ", Enumerable.Range(0, count).Select(i => $"%r{i}"));
        var results = PtxBench.Run<ushort, uint>($$"""
            mul.wide.u32 %d0, %t, 16;
            add.s64 %d1, %in, %d0;
            ld.global.v4.u32 {%r0, %r1, %r2, %r3}, [%d1];
            shl.b32 %r4, %t, 4;
            mov.u32 %r5, tile;
            add.s32 %r5, %r5, %r4;
            st.shared.v4.u32 [%r5], {%r0, %r1, %r2, %r3};
            bar.sync 0;
            ldmatrix.sync.aligned.m8n8.x{{count}}{{(transposed ? ".trans" : "")}}.shared.b16 {{{names}}}, [%r5];
            add.s64 %d1, %out, %d0;
            st.global.v4.u32 [%d1], {%r0, %r1, %r2, %r3};
            """, input, 128, declarations: ".shared .align 16 .b8 tile[512];");
        for (var lane = 0; lane < 32; lane++)
            for (var matrix = 0; matrix < count; matrix++)
            {
                int Element(int row, int column) =>
                    transposed ? 64 * matrix + 8 * column + row : 64 * matrix + 8 * row + column;
                var expected = (uint)(Element(lane / 4, lane % 4 * 2) | Element(lane / 4, lane % 4 * 2 + 1) << 16);
                Assert.Equal(expected, results[lane * 4 + matrix]);
            }
    }

    [Fact]
    public void Multiply_WithoutAllLanes_IsFound()
    {
        var fault = PtxBench.Fault("""
            setp.lt.u32 %p1, %t, 31;
            @!%p1 ret;
            mov.u32 %r0, 0;
            mov.f32 %f0, 0f00000000;
            mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32
                {%f4, %f5, %f6, %f7}, {%r0, %r0}, {%r0}, {%f0, %f0, %f0, %f0};
            """);
        Assert.Equal(FaultKind.WarpDivergence, fault.Kind);
        Assert.Contains("all 32", fault.Message);
    }
}
