using PtxSimulator;

namespace EfficientAD.Tests.PtxSimulator.Hopper;

/// <summary>wgmma against plain loops, with the layouts written here again from the PTX manual, and what goes wrong
/// around it.</summary>
public class WarpgroupTests
{
    // 128 threads bring the image of a (2 KB at 0) and b (from 2048 on) into shared memory.
    private const string Bring = """
        mov.u32 %r3, tile; mov.u32 %r1, %t;
        BRING:
        shl.b32 %r2, %r1, 4; add.s32 %r8, %r3, %r2; cvt.u64.u32 %d1, %r2; add.s64 %d1, %d1, %in;
        ld.global.v4.u32 {%r4, %r5, %r6, %r7}, [%d1];
        st.shared.v4.u32 [%r8], {%r4, %r5, %r6, %r7};
        add.s32 %r1, %r1, 128; setp.lt.u32 %p1, %r1, 1024;
        @%p1 bra BRING;

        """;

    private const string Proxy = "fence.proxy.async.shared::cta;", Fence = "wgmma.fence.sync.aligned;",
        Commit = "wgmma.commit_group.sync.aligned;", Wait = "wgmma.wait_group.sync.aligned 0;";

    private static string Registers(int count) =>
        $"{{{string.Join(", ", Enumerable.Range(0, count).Select(i => $"%f{i}"))}}}";

    private static string Multiply(
        int columns, string a = "%d10", string b = "%d11", string add = "%p5", int sign = 1) =>
        $"wgmma.mma_async.sync.aligned.m64n{columns}k16.f32.f16.f16 {Registers(columns / 2)}, " +
        $"{a}, {b}, {add}, {sign}, 1, 0{(a.StartsWith('{') ? ";" : ", 0;")}";

    private static string Store(int count) => string.Join('\n', Enumerable.Range(0, count).Select(i =>
        $"st.global.f32 [%d2+{4 * i}], %f{i};"));

    // Descriptors of a and b in %d10 and %d11; accumulators start at the thread's number; where to store in %d2.
    private static string Prepare(int columns, ulong a, ulong b) => $"""
        mov.u64 %d10, {a}; mov.u64 %d11, {b}; setp.ge.u32 %p5, %t, 0; setp.lt.u32 %p6, %t, 0;
        mul.wide.u32 %d2, %t, {columns * 2}; add.s64 %d2, %d2, %out;
        {string.Join('\n', Enumerable.Range(0, columns / 2).Select(i => $"cvt.rn.f32.u32 %f{i}, %t;"))}

        """;

    // Of the manual: start, distance along k and of groups of eight rows in units of 16 bytes; 1, 2, 3 for swizzles of
    // 128, 64, 32 bytes in the upper two bits. Shared memory starts at 0x400.
    private static ulong Descriptor(int start, int rowBytes, int alongK, int groups)
    {
        var mode = rowBytes switch { 128 => 1ul, 64 => 2ul, 32 => 3ul, _ => 0ul };
        return (ulong)(0x400 + start) / 16 | (ulong)alongK / 16 << 16 | (ulong)groups / 16 << 32 | mode << 62;
    }

    // Where element (row, k) lies from the start of the matrix.
    private static int Place(int row, int k, int rowBytes, int alongK, int groups)
    {
        var (group, line, piece) = (row / 8 * groups, row % 8, k / 8);
        if (rowBytes == 16) return group + piece * alongK + line * 16 + k % 8 * 2;
        var exchange = rowBytes switch { 128 => line, 64 => line / 2, _ => line / 4 };
        return group + line * rowBytes + (piece ^ exchange) * 16 + k % 8 * 2;
    }

    private static void Put(byte[] image, int start, int place, float value) =>
        BitConverter.TryWriteBytes(image.AsSpan(start + place), (Half)value);

    private static (float[,] A, float[,] B) Matrices(int columns)
    {
        var numbers = new Random(5);
        var (a, b) = (new float[64, 16], new float[columns, 16]);
        foreach (var matrix in new[] { a, b })
            for (var row = 0; row < matrix.GetLength(0); row++)
                for (var k = 0; k < 16; k++) matrix[row, k] = numbers.Next(-8, 9);
        return (a, b);
    }

    // Thread 128 w' + 32 w + l holds of row 16 w + l / 4 (+ 8) the columns 8 j + 2 (l % 4) and the next.
    private static void AssertProduct(float[,] a, float[,] b, float[] written, Func<int, float> start, int sign = 1)
    {
        var columns = b.GetLength(0);
        for (var thread = 0; thread < 128; thread++)
            for (var i = 0; i < columns / 2; i++)
            {
                var row = 16 * (thread / 32) + thread % 32 / 4 + i / 2 % 2 * 8;
                var column = 8 * (i / 4) + thread % 4 * 2 + i % 2;
                var sum = start(thread);
                for (var k = 0; k < 16; k++) sum += sign * a[row, k] * b[column, k];
                Assert.Equal(sum, written[thread * columns / 2 + i]);
            }
    }

    [Theory]
    [InlineData(8, 16, 128, 256)] // core matrices side by side along k
    [InlineData(24, 16, 1024, 128)] // core matrices of one k one after the other
    [InlineData(40, 32, 16, 256)]
    [InlineData(64, 64, 16, 512)]
    [InlineData(96, 128, 16, 1024)]
    [InlineData(104, 128, 16, 1024)]
    public void Product_AgreesWithPlainLoops(int columns, int rowBytes, int alongK, int groups)
    {
        var (a, b) = Matrices(columns);
        var image = new byte[24576];
        // b lies behind the eight groups of a.
        var second = rowBytes == 16 ? 2048 : 8 * groups;
        for (var row = 0; row < 64; row++)
            for (var k = 0; k < 16; k++) Put(image, 0, Place(row, k, rowBytes, alongK, groups), a[row, k]);
        var alongKOfB = rowBytes == 16 && alongK > groups ? columns * 16 : alongK;
        for (var row = 0; row < columns; row++)
            for (var k = 0; k < 16; k++) Put(image, second, Place(row, k, rowBytes, alongKOfB, groups), b[row, k]);
        var prepare = Prepare(
            columns, Descriptor(0, rowBytes, alongK, groups), Descriptor(second, rowBytes, alongKOfB, groups));
        foreach (var (add, sign) in new[] { ("%p5", 1), ("%p6", 1), ("%p5", -1) })
        {
            var body = Bring.Replace("1024;", $"{image.Length / 16};") + prepare + Proxy + "bar.sync 0;" + Fence
                + Multiply(columns, add: add, sign: sign) + Commit + Wait + Store(columns / 2);
            var written =
                HopperBench.Run<byte, float>(body, image, 64 * columns, 128, tileBytes: image.Length, seed: sign + 1);
            AssertProduct(a, b, written, thread => add == "%p5" ? thread : 0, sign);
        }
    }

    [Fact]
    public void A_MayLieInRegisters()
    {
        const int Columns = 16;
        var (a, b) = Matrices(Columns);
        var image = new byte[16384];
        // Each thread's four registers, as mma takes them, lie in its 16 bytes from 8192 on.
        for (var thread = 0; thread < 128; thread++)
            for (var i = 0; i < 8; i++)
            {
                var row = 16 * (thread / 32) + thread % 32 / 4 + i / 2 % 2 * 8;
                Put(image, 8192 + 16 * thread, 2 * i, a[row, thread % 4 * 2 + i % 2 + i / 4 * 8]);
            }
        for (var row = 0; row < Columns; row++)
            for (var k = 0; k < 16; k++) Put(image, 0, Place(row, k, 128, 16, 1024), b[row, k]);
        const string LoadA = """
            shl.b32 %r20, %t, 4; add.s32 %r20, %r20, %r3;
            ld.shared.v4.u32 {%r21, %r22, %r23, %r24}, [%r20+8192];

            """;
        var product = Multiply(Columns, a: "{%r21, %r22, %r23, %r24}");
        string Body(string after) =>
            Bring + Prepare(Columns, 0, Descriptor(0, 128, 16, 1024)) + Proxy + "bar.sync 0;" + LoadA
            + Fence + product + Commit + after + Wait + Store(Columns / 2);
        AssertProduct(a, b, HopperBench.Run<byte, float>(Body(""), image, 64 * Columns, 128), thread => thread);
        HopperBench.AssertFault(FaultKind.RegisterInFlight, Body("mov.u32 %r22, 0;"), 128);
        HopperBench.AssertFault(null, Body("mov.u32 %r25, %r22;"), 128);  // reading it is allowed
        HopperBench.AssertFault(
            FaultKind.RegisterInFlight, Body("").Replace(LoadA, "").Replace(Fence, Fence + LoadA), 128);
    }

    private const int N = 16;

    private const string Overwrite = "setp.eq.u32 %p8, %t, 0; @%p8 st.shared.u32 [tile+8192], 0;";

    private static readonly string OfA = $"%d10, {Descriptor(0, 128, 16, 1024)};";

    // Two products into the same accumulators, as one group.
    private static readonly string Right =
        Bring + Prepare(N, Descriptor(0, 128, 16, 1024), Descriptor(8192, 128, 16, 1024))
        + $"{Proxy}\nbar.sync 0;\n{Fence}\n{Multiply(N)}\n{Multiply(N)}\n{Commit}\n{Wait}\nbar.sync 0;\n{Store(N / 2)}";

    public static TheoryData<string, string, FaultKind?> Faults => new()
    {
        { "", "", null },
        { Wait, "", FaultKind.RegisterInFlight },
        { Wait, "wgmma.wait_group.sync.aligned 1;", FaultKind.RegisterInFlight },
        { Commit, "", FaultKind.RegisterInFlight },
        { Fence, "", FaultKind.RegisterInFlight },
        { Fence, Fence + "add.f32 %f3, %f3, %f3;", FaultKind.RegisterInFlight }, // changed behind the fence
        { Commit, "mov.f32 %f100, %f3;" + Commit, FaultKind.RegisterInFlight },
        { Proxy, "", FaultKind.ProxyFence },
        { "bar.sync 0;\nwgmma", "wgmma", FaultKind.SharedMemoryRace },
        { Wait, Overwrite + Wait, FaultKind.SharedMemoryRace }, // while it is read
        { Wait, Wait + Overwrite, FaultKind.SharedMemoryRace }, // other warps may still read it
        { Wait + "\nbar.sync 0;", Wait + "\nbar.sync 0;" + Overwrite, null },
        { OfA, $"%d10, {Descriptor(128, 128, 16, 1024)};", FaultKind.InvalidOperand },
        { OfA, $"%d10, {Descriptor(0, 128, 16, 1152)};", FaultKind.InvalidOperand },
        { OfA, $"%d10, {1ul << 14 | Descriptor(0, 128, 16, 1024)};", FaultKind.InvalidOperand },
        { "setp.ge.u32 %p5, %t, 0;", "setp.ge.u32 %p5, %t, 7;", FaultKind.WarpDivergence }, // lanes disagree
        { "setp.ge.u32 %p5, %t, 0;", "setp.ge.u32 %p5, %t, 0; setp.ge.u32 %p7, %t, 32; @%p7 add.s64 %d11, %d11, 2;",
            FaultKind.WarpDivergence }, // warps disagree
    };

    [Theory, MemberData(nameof(Faults))]
    public void PlantedFault_IsFound_UnderEverySchedule(string right, string wrong, FaultKind? expected)
    {
        Assert.Contains(right, Right);
        HopperBench.AssertFault(expected, right == "" ? Right : Right.Replace(right, wrong), 128);
    }

    [Fact]
    public void OlderGroup_IsWaitedForAlone()
    {
        var second = Multiply(N).Replace("%f", "%f1");  // %f10 to %f17
        var clear = string.Concat(Enumerable.Range(10, 8).Select(i => $"mov.f32 %f{i}, %f0;"));
        var body = Right.Replace(Multiply(N) + "\n" + Multiply(N), Multiply(N) + "\n" + Commit + "\n" + second)
            .Replace(Fence, clear + Fence).Replace(Wait, "wgmma.wait_group.sync.aligned 1;");
        // The first product's registers may be stored, the second's not.
        HopperBench.AssertFault(null, body, 128);
        HopperBench.AssertFault(FaultKind.RegisterInFlight, body + "st.global.f32 [%d2], %f10;", 128);
    }

    [Theory]
    [InlineData("wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%f0, %f1, %f2, %f3}, %d1, %d1, %p1, 1, 1, 0, 1;")]
    [InlineData("wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {%f0, %f1, %f2, %f3}, %d1, %d1, %p1, 1, 1, 0, 0;")]
    [InlineData("wgmma.mma_async.sync.aligned.m64n12k16.f32.f16.f16 {%f0, %f1, %f2, %f3}, %d1, %d1, %p1, 1, 1, 0, 0;")]
    [InlineData("wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%f0, %f1, %f2}, %d1, %d1, %p1, 1, 1, 0, 0;")]
    public void UnknownForm_IsRefused(string instruction) => Assert.Throws<PtxFormatException>(() => PtxModule.Parse(
        HopperBench.Kernel("mov.u64 %d1, 0; setp.eq.u64 %p1, %d1, 0;" + instruction, 64), "test.ptx"));
}
