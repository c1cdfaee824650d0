using PtxSimulator;

namespace EfficientAD.Tests.PtxSimulator.Checking;

/// <summary>Conflicts in shared memory: each planted one is found under every order of the warps, and its cure is
/// clean.
/// </summary>
public class RaceTests
{
    private const string Tile = ".shared .align 16 .b8 tile[1024];";

    // %r1: the thread's own word; %r2: the word of the thread 32 further on, in another warp; %r3: its neighbour's. All
    // hold zero, so that no order of the warps reads what was never written.
    private const string Words = """
        mov.u32 %r0, tile;
        shl.b32 %r4, %t, 2; add.s32 %r1, %r0, %r4;
        add.s32 %r5, %t, 32; and.b32 %r5, %r5, 63; shl.b32 %r5, %r5, 2; add.s32 %r2, %r0, %r5;
        xor.b32 %r6, %t, 1; shl.b32 %r6, %r6, 2; add.s32 %r3, %r0, %r6;
        st.shared.u32 [%r1], 0; bar.sync 0;

        """;

    // %r8: a half word for each thread; two threads share a word.
    private const string Halves = "shl.b32 %r8, %t, 1; add.s32 %r8, %r8, %r0; cvt.u16.u32 %h0, %t; bar.sync 0;";

    private static SimulatedDeviceOptions Seeded(int seed) => new() { Seed = seed, MemoryBytes = 1 << 20 };

    private static FaultKind? Run(string body, int seed)
    {
        using var bench = new PtxBench(Seeded(seed));
        var (input, output) = (bench.Buffer<float>(new float[64]), bench.Buffer<float>(new float[64]));
        var exception = Record.Exception(() => bench.Launch(Words + body, input, output, 64, declarations: Tile));
        return exception is null ? null : Assert.IsType<SimulationException>(exception).Kind;
    }

    public static TheoryData<string, string> Pairs => new()
    {
        // The fault, and the same with its cure.
        { "st.shared.u32 [%r1], %t; ld.shared.u32 %r7, [%r2];",
            "st.shared.u32 [%r1], %t; bar.sync 0; ld.shared.u32 %r7, [%r2];" },
        {
            "st.shared.u32 [%r1], %t; bar.sync 0; ld.shared.u32 %r7, [%r2]; st.shared.u32 [%r1], %r7;",
            "st.shared.u32 [%r1], %t; bar.sync 0; ld.shared.u32 %r7, [%r2]; bar.sync 0; st.shared.u32 [%r1], %r7;"
        },
        { "st.shared.u32 [%r1], %t; st.shared.u32 [%r2], %t;",
            "st.shared.u32 [%r1], %t; bar.sync 0; st.shared.u32 [%r2], %t;" },
        { "st.shared.u32 [%r1], %t; ld.shared.u32 %r7, [%r3];",
            "st.shared.u32 [%r1], %t; bar.warp.sync -1; ld.shared.u32 %r7, [%r3];" },
        {
            "st.shared.u32 [%r1], %t; bar.sync 0; ld.shared.u32 %r7, [%r3]; st.shared.u32 [%r1], %t;",
            "st.shared.u32 [%r1], %t; bar.sync 0; ld.shared.u32 %r7, [%r3]; bar.warp.sync -1; st.shared.u32 [%r1], %t;"
        },
        // one warp, one value
        { "st.shared.u32 [tile], %t;", "setp.lt.u32 %p1, %t, 32; @%p1 st.shared.u32 [tile], 7;" },
        {
            "atom.shared.add.u32 %r7, [tile], 1; ld.shared.u32 %r7, [tile];",
            "atom.shared.add.u32 %r7, [tile], 1; bar.sync 0; ld.shared.u32 %r7, [tile];"
        },
        { Halves + "st.shared.u32 [%r1], %t; st.shared.u16 [%r8], %h0;",
            Halves + "st.shared.u16 [%r8], %h0; st.shared.u16 [%r8], %h0;" },
    };

    [Theory, MemberData(nameof(Pairs))]
    public void Race_IsFound_AndItsCureIsClean(string faulty, string cured)
    {
        for (var seed = 0; seed < 4; seed++) Assert.Equal(FaultKind.SharedMemoryRace, Run(faulty, seed));
        for (var seed = 0; seed < 4; seed++) Assert.Null(Run(cured, seed));
    }

    [Fact]
    public void Message_NamesBothThreadsAndLines()
    {
        var fault = PtxBench.Fault(
            Words + "st.shared.u32 [%r1], %t;\nld.shared.u32 %r7, [%r2];", 64, declarations: Tile);
        // In order, warp 0 has read the word of thread 32 before that thread writes it.
        Assert.Contains("was read by thread 0 (test, PTX line 18)", fault.Message);
        Assert.Equal((new Extent(32, 0, 0), 17), (fault.Thread, fault.Location!.Value.PtxLine));
        Assert.Equal("byte 128 of tile", fault.Allocation);
    }

    [Fact]
    public void Reduction_WithItsBarriers_IsClean()
    {
        const string Body = """
            st.shared.u32 [%r1], %t;
            mov.u32 %r7, 32;
            LOOP:
            bar.sync 0;
            setp.ge.u32 %p1, %t, %r7;
            @%p1 bra SKIP;
            shl.b32 %r8, %r7, 2; add.s32 %r8, %r8, %r1;
            ld.shared.u32 %r9, [%r8]; ld.shared.u32 %r10, [%r1];
            add.s32 %r9, %r9, %r10;
            st.shared.u32 [%r1], %r9;
            SKIP:
            shr.u32 %r7, %r7, 1;
            setp.ne.u32 %p2, %r7, 0;
            @%p2 bra LOOP;
            setp.ne.u32 %p3, %t, 0;
            @%p3 bra DONE;
            ld.shared.u32 %r9, [tile];
            st.global.u32 [%out], %r9;
            DONE:
            """;
        for (var seed = 0; seed < 4; seed++)
        {
            var results = PtxBench.Run<int, int>(Words + Body, [0], 1, 64, declarations: Tile, options: Seeded(seed));
            Assert.Equal(2016, results[0]);
        }
        Assert.Equal(FaultKind.SharedMemoryRace, Run(Body.Replace("bar.sync 0;", ""), 0));
    }
}
