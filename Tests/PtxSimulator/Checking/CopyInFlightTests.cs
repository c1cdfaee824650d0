using PtxSimulator;

namespace EfficientAD.Tests.PtxSimulator.Checking;

/// <summary>cp.async: values, zero fill, groups, and what touches bytes that are still on their way.</summary>
public class CopyInFlightTests
{
    private const string Tile = ".shared .align 16 .b8 tile[1024];";

    // Each of 32 threads copies 16 bytes, then reads those of its neighbour in the other half of the warp.
    private const string Addresses = """
        mov.u32 %r0, tile;
        shl.b32 %r1, %t, 4; add.s32 %r2, %r0, %r1;
        xor.b32 %r3, %t, 16; shl.b32 %r3, %r3, 4; add.s32 %r3, %r3, %r0;
        mul.wide.u32 %d0, %t, 16; add.s64 %d1, %in, %d0; add.s64 %d2, %out, %d0;

        """;

    private const string ReadAndStore =
        "\nld.shared.v4.u32 {%r4, %r5, %r6, %r7}, [%r3];\nst.global.v4.u32 [%d2], {%r4, %r5, %r6, %r7};";

    private static readonly uint[] Input = [.. Enumerable.Range(0, 128).Select(i => (uint)i)];

    private static uint[] Run(string body, int seed) => PtxBench.Run<uint, uint>(
        Addresses + body, Input, 128, declarations: Tile, options: new() { Seed = seed, MemoryBytes = 1 << 20 });

    private static FaultKind Fault(string body, int seed) =>
        Assert.Throws<SimulationException>(() => Run(body, seed)).Kind;

    [Fact]
    public void Copies_Arrive_AfterTheWaitAndTheBarrier()
    {
        var expected = Enumerable.Range(0, 128).Select(i => (uint)((i / 4 ^ 16) * 4 + i % 4));
        for (var seed = 0; seed < 8; seed++)
        {
            foreach (var wait in new[] { "cp.async.commit_group; cp.async.wait_group 0;", "cp.async.wait_all;" })
                Assert.Equal(expected,
                    Run($"cp.async.cg.shared.global [%r2], [%d1], 16; {wait} bar.sync 0;{ReadAndStore}", seed));
        }
    }

    [Fact]
    public void Copy_FillsWithZeros_WhatItDoesNotRead()
    {
        // Threads read 0, 4, 8 or 12 bytes; thread 0 may even name an address that is not there.
        var results = Run("""
            and.b32 %r8, %t, 3; shl.b32 %r8, %r8, 2;
            setp.eq.u32 %p1, %t, 0; selp.b64 %d1, 0, %d1, %p1;
            cp.async.cg.shared.global [%r2], [%d1], 16, %r8;
            cp.async.wait_all; bar.sync 0;
            """ + ReadAndStore, 3);
        Assert.Equal(
            Enumerable.Range(0, 128).Select(i => (i / 4 & 3) > i % 4 ? (uint)((i / 4 ^ 16) * 4 + i % 4) : 0), results);
    }

    [Theory]
    [InlineData("", FaultKind.CopyInFlight)]
    [InlineData("cp.async.commit_group; bar.sync 0;", FaultKind.CopyInFlight)]
    [InlineData("cp.async.commit_group; cp.async.wait_group 1; bar.sync 0;", FaultKind.CopyInFlight)]
    [InlineData("cp.async.wait_group 0; bar.sync 0;", FaultKind.CopyInFlight)]  // never committed
    [InlineData("cp.async.wait_all;", FaultKind.SharedMemoryRace)]  // the neighbour may not have waited yet
    public void EarlyRead_IsFound_WheneverTheBytesLand(string between, FaultKind expected)
    {
        for (var seed = 0; seed < 6; seed++)
            Assert.Equal(
                expected, Fault("cp.async.cg.shared.global [%r2], [%d1], 16; " + between + ReadAndStore, seed));
    }

    [Fact]
    public void CopyOverWhatOthersStillRead_IsFound()
    {
        for (var seed = 0; seed < 4; seed++)
            Assert.Equal(FaultKind.SharedMemoryRace, Fault("""
                st.shared.v4.u32 [%r2], {%t, %t, %t, %t}; bar.sync 0;
                ld.shared.u32 %r4, [%r3];
                cp.async.cg.shared.global [%r2], [%d1], 16;
                """, seed));
    }

    [Fact]
    public void TwoStages_WaitForTheOlderAlone()
    {
        var body = """
            cp.async.ca.shared.global [%r2], [%d1], 4; cp.async.commit_group;
            cp.async.ca.shared.global [%r2+512], [%d1], 4; cp.async.commit_group;
            cp.async.wait_group 1; bar.sync 0;
            ld.shared.u32 %r4, [%r3]; st.global.u32 [%d2], %r4;
            """;
        for (var seed = 0; seed < 6; seed++)
        {
            var results = Run(body, seed);
            Assert.All(Enumerable.Range(0, 32), thread => Assert.Equal((uint)((thread ^ 16) * 4), results[thread * 4]));
            Assert.Equal(FaultKind.CopyInFlight, Fault(body.Replace("[%r3]", "[%r3+512]"), seed));
        }
    }

    [Fact]
    public void SourceOutOfBounds_IsFound() =>
        Assert.Equal(FaultKind.OutOfBounds, Fault("cp.async.cg.shared.global [%r2], [%d1+16], 16;", 0));
}
