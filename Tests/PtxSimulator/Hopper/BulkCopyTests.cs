using PtxSimulator;
using PtxSimulator.Counting;

namespace EfficientAD.Tests.PtxSimulator.Hopper;

/// <summary>cp.async.bulk: which bytes come where, and what touches them too early or too late.</summary>
public class BulkCopyTests
{
    // Thread 0 asks for a box; all threads wait for it.
    private const string Fence = "fence.mbarrier_init.release.cluster;";
    private const string Announce = "mbarrier.arrive.expect_tx.shared::cta.b64 _, [bars], BYTES;";
    private const string Wait = """
        WAIT:
        mbarrier.try_wait.parity.shared::cta.b64 %p2, [bars], 0;
        @!%p2 bra WAIT;
        """;

    private const string Load = $$"""
        setp.ne.u32 %p1, %t, 0;
        @%p1 bra MADE;
        mbarrier.init.shared::cta.b64 [bars], 1;
        {{Fence}}
        MADE:
        bar.sync 0;
        @%p1 bra ASKED;
        mov.u32 %r10, X; mov.u32 %r11, Y; mov.u32 %r12, Z;
        {{Announce}}
        COPY
        ASKED:
        {{Wait}}

        """;

    private const string Box =
        "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes " +
        "[tile], [%map, {%r10, %r11, %r12}], [bars];";

    // Each thread passes 16 bytes on.
    private const string PassOn = """
        shl.b32 %r1, %t, 4; mov.u32 %r3, tile; add.s32 %r3, %r3, %r1;
        cvt.u64.u32 %d1, %r1; add.s64 %d1, %d1, %out;
        ld.shared.v4.u32 {%r4, %r5, %r6, %r7}, [%r3];
        st.global.v4.u32 [%d1], {%r4, %r5, %r6, %r7};
        """;

    private static readonly ushort[] Numbers = [.. Enumerable.Range(1, 6 * 7 * 64).Select(i => (ushort)i)];

    // [6, 7, 64] numbers, the innermost last; a box of [2, 4, inner].
    private static HopperBench.Map Tensor(uint inner, int swizzle, uint step = 1) =>
        new([64, 7, 6], [128, 7 * 128], [inner, 4 * step, 2]) { Swizzle = swizzle, Steps = [1, step, 1] };

    private static string Body(int x, int y, int z, int bytes, string copy = Box) => Load
        .Replace("X;", $"{x};").Replace("Y;", $"{y};").Replace("Z;", $"{z};")
        .Replace("BYTES", $"{bytes}").Replace("COPY", copy);

    [Theory]
    [InlineData(64, HopperBench.Swizzle128, 0, 0, 0, 1)]
    [InlineData(64, HopperBench.Swizzle128, -8, 5, 5, 1)] // over every border
    [InlineData(64, HopperBench.Swizzle128, 0, -1, 0, 2)] // every other row
    [InlineData(64, HopperBench.Swizzle128, 0, 1, 0, 3)]
    [InlineData(32, HopperBench.Swizzle64, 48, -2, 1, 1)]
    [InlineData(16, HopperBench.Swizzle32, 7, 2, -1, 1)]
    [InlineData(24, 0, 50, 0, 4, 1)]
    public void Box_ComesInTheOrderOfItsSwizzle(int inner, int swizzle, int x, int y, int z, int step)
    {
        // The manual's pictures: 16-byte pieces of a row exchange places with the row's number, in rows of 128 bytes by
        // all eight, of 64 by every second, of 32 by every fourth.
        var expected = new ushort[8 * inner];
        for (var row = 0; row < 8; row++)
            for (var i = 0; i < inner; i++)
            {
                var (cx, cy, cz) = (x + i, y + row % 4 * step, z + row / 4);
                var inside = cx is >= 0 and < 64 && cy is >= 0 and < 7 && cz is >= 0 and < 6;
                var exchange = swizzle switch
                {
                    HopperBench.Swizzle128 => row % 8,
                    HopperBench.Swizzle64 => row / 2 % 4,
                    HopperBench.Swizzle32 => row / 4 % 2,
                    _ => 0,
                };
                var piece = i / 8 ^ exchange;
                expected[row * inner + 8 * piece + i % 8] = inside ? Numbers[(cz * 7 + cy) * 64 + cx] : (ushort)0;
            }
        for (var seed = 0; seed < 3; seed++)
        {
            Assert.Equal(expected, HopperBench.Run<ushort, ushort>(
                Body(x, y, z, 16 * inner) + PassOn, Numbers, 8 * inner, inner,
                map: Tensor((uint)inner, swizzle, (uint)step), seed: seed));
        }
    }

    [Fact]
    public void Bytes_ComeInARow()
    {
        const string Copy = """
            mov.u32 %r13, 512; add.s64 %d2, %in, 32;
            cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [tile], [%d2], %r13, [bars];
            """;
        Assert.Equal(Numbers[16..272], HopperBench.Run<ushort, ushort>(
            Body(0, 0, 0, 512, Copy) + PassOn, Numbers, 256, 32, seed: 2));
    }

    public static TheoryData<string, string, FaultKind?> Faults => new()
    {
        { "", "", null },
        { Wait, "", FaultKind.CopyInFlight },
        { Fence, "", FaultKind.ProxyFence },
        { Fence, "fence.proxy.async.shared::cta;", null },
        { "_, [bars], 1024", "_, [bars], 512", FaultKind.Deadlock }, // more comes than was announced
        { "_, [bars], 1024", "_, [bars], 2048", FaultKind.Deadlock },
        { "[tile], [%map", "[tile+64], [%map", FaultKind.Misaligned },
        { "[tile], [%map", "[tile+15488], [%map", FaultKind.OutOfBounds },
        { "[%map, {", "[%in, {", FaultKind.InvalidOperand },
        { "bar.sync 0;", "bar.sync 0; @!%p1 st.shared.u32 [tile], 0;", FaultKind.ProxyFence },
        { "bar.sync 0;", "bar.sync 0; @!%p1 st.shared.u32 [tile], 0; @!%p1 fence.proxy.async;", null },
        // Written by another thread, whom nothing orders before the copy.
        {
            "bar.sync 0;",
            "bar.sync 0; setp.eq.u32 %p5, %t, 33; @%p5 st.shared.u32 [tile], 0; @%p5 fence.proxy.async;",
            FaultKind.SharedMemoryRace
        },
    };

    [Theory, MemberData(nameof(Faults))]
    public void PlantedFault_IsFound_UnderEverySchedule(string right, string wrong, FaultKind? expected)
    {
        var body = Body(0, 0, 0, 1024) + PassOn;
        Assert.Contains(right, body);
        HopperBench.AssertFault(
            expected, right == "" ? body : body.Replace(right, wrong), 64, Tensor(64, HopperBench.Swizzle128));
    }

    [Fact]
    public void SecondCopyThatNobodyAnnounced_IsFound()
    {
        // The first fills what was announced; the second would come when its readers have gone on.
        var body = Body(0, 0, 0, 1024, Box + Box.Replace("[tile]", "[tile+1024]"));
        HopperBench.AssertFault(FaultKind.InvalidBarrier, body, 64, Tensor(64, 0));
    }

    [Fact]
    public void StageInUse_MayNotBeOverwritten()
    {
        // Readers of the first box must be waited for before the second comes to the same place.
        const string Again = """
            SYNC
            @%p1 bra DONE;
            mbarrier.arrive.expect_tx.shared::cta.b64 _, [bars], 1024;
            COPY
            DONE:
            AGAIN:
            mbarrier.try_wait.parity.shared::cta.b64 %p2, [bars], 1;
            @!%p2 bra AGAIN;
            """;
        var map = Tensor(64, HopperBench.Swizzle128);
        var body = Body(0, 0, 0, 1024) + PassOn + Again.Replace("COPY", Box);
        HopperBench.AssertFault(null, body.Replace("SYNC", "bar.sync 0;"), 64, map);
        // Who comes late may also wait for a phase that is long over.
        for (var seed = 0; seed < 6; seed++)
            Assert.True(Assert.Throws<SimulationException>(() => HopperBench.Run<ushort, ushort>(
                body.Replace("SYNC", ""), Numbers, 512, 64, map: map, seed: seed)).Kind
                is FaultKind.SharedMemoryRace or FaultKind.CopyInFlight or FaultKind.Deadlock);
    }

    [Fact]
    public void Traffic_IsCountedBySectors()
    {
        HopperBench.Run<ushort, ushort>(Body(0, 5, 0, 1024) + PassOn, Numbers, 512, 64, 16384,
            Tensor(64, HopperBench.Swizzle128), 0, out LaunchReport report);
        // Two planes of two rows are inside, of 128 bytes each.
        Assert.Equal(
            (512, 16, 16),
            (report.GlobalLoads.BytesAsked, report.GlobalLoads.Sectors, report.GlobalLoads.DistinctSectors));
    }

    [Theory]
    [InlineData("fence.proxy.async.shared::cta;", "cp.async.bulk.wait_group 0;", null)]
    [InlineData("fence.proxy.async.shared::cta;", "cp.async.bulk.wait_group.read 0;", null)]
    [InlineData("", "cp.async.bulk.wait_group 0;", FaultKind.ProxyFence)]
    [InlineData("fence.proxy.async.shared::cta;", "", FaultKind.SharedMemoryRace)] // overwritten while it is read
    [InlineData("fence.proxy.async.shared::cta;", "cp.async.bulk.wait_group 1;", FaultKind.SharedMemoryRace)]
    public void Store_ReadsUntilItsGroupIsWaitedFor(string fence, string wait, FaultKind? expected)
    {
        // 64 threads write a row of 16 bytes each, thread 0 stores the box and writes over it.
        var body = $$"""
            setp.ne.u32 %p1, %t, 0;
            shl.b32 %r1, %t, 4; mov.u32 %r3, tile; add.s32 %r3, %r3, %r1;
            st.shared.v4.u32 [%r3], {%t, %t, %t, %t};
            {{fence}}
            bar.sync 0;
            mov.u32 %r10, 0; mov.u32 %r11, -2; mov.u32 %r12, 4;
            @%p1 bra DONE;
            cp.async.bulk.tensor.3d.global.shared::cta.bulk_group [%map, {%r10, %r11, %r12}], [tile];
            cp.async.bulk.commit_group;
            {{wait}}
            st.shared.u32 [tile], 7;
            DONE:
            """;
        var map = Tensor(64, HopperBench.Swizzle128) with { IsOutput = true };
        HopperBench.AssertFault(expected, body, 64, map);
        if (expected is not null) return;
        var written = HopperBench.Run<ushort, ushort>(body, Numbers, Numbers.Length, 64, map: map);
        for (var place = 0; place < written.Length; place++)
        {
            // Rows 2 and 3 of each plane of the box are rows 0 and 1 of planes 4 and 5.
            var (z, y, x) = (place / 448, place / 64 % 7, place % 64);
            var row = (z - 4) * 4 + y + 2;
            var isWithin = z >= 4 && y < 2;
            Assert.Equal(isWithin && x % 2 == 0 ? 8 * row + (x / 8 ^ row) : 0, written[place]);
        }
    }

    [Theory]
    [InlineData(
        "cp.async.bulk.tensor.3d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes " +
        "[tile], [%map, {%r1, %r1, %r1}], [bars];")]
    [InlineData(
        "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes " +
        "[tile], [%map, {%r1, %r1, %r1}], [bars];")]
    [InlineData(
        "cp.async.bulk.tensor.1d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster " +
        "[tile], [%map, {%r1}], [bars];")]
    [InlineData("cp.async.bulk.wait_group;")]
    public void UnknownForm_IsRefused(string instruction) => Assert.Throws<PtxFormatException>(
        () => PtxModule.Parse(HopperBench.Kernel("mov.u32 %r1, 0;" + instruction, 64), "test.ptx"));

    public static TheoryData<HopperBench.Map, string> Refused => new()
    {
        { new([64], [], [64]) { Start = 8 }, "no multiple of 16" },
        { new([64, 8], [120], [64, 8]), "120 bytes apart" },
        { new([64, 8], [128], [64, 257]), "257 elements along dimension 1" },
        { new([64, 8], [128], [12, 8]), "24 bytes, no multiple of 16" },
        { new([64, 8], [128], [64, 8]) { Swizzle = HopperBench.Swizzle64 }, "128 bytes, the swizzle 64" },
        { new([64, 8], [128], [64, 8]) { Steps = [1, 9] }, "steps of 9" },
        { new([64, 0], [128], [64, 8]), "dimension 1 has 0 elements" },
        { new([8, 8, 8, 8, 8, 8], [16, 16, 16, 16, 16], [8, 8, 8, 8, 8, 8]), "6 dimensions" },
    };

    [Theory, MemberData(nameof(Refused))]
    public unsafe void TensorMap_OfWrongSizes_IsRefused(HopperBench.Map map, string why)
    {
        byte* place = stackalloc byte[192];
        place += (64 - (nint)place % 64) % 64;
        Assert.Equal(1, map.Encode(0xD0_0000_0000_0100, place));
        Assert.Contains(why, Driver.Cu.ErrorString(1));
    }
}
