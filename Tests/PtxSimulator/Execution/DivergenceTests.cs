using PtxSimulator;

namespace EfficientAD.Tests.PtxSimulator.Execution;

/// <summary>Branches that part the lanes of a warp, and barriers that they meet.</summary>
public class DivergenceTests
{
    private static int[] Run(string body, int threads = 32, int seed = 0) => PtxBench.Run<int, int>($$"""
        mul.wide.u32 %d0, %t, 4; add.s64 %d2, %out, %d0;
        {{body}}
        st.global.u32 [%d2], %r1;
        """, [0], threads, threads, options: new() { Seed = seed, MemoryBytes = 1 << 20 });

    [Fact]
    public void Loop_EndsForEachLaneInItsOwnTime() =>
        Assert.Equal(Enumerable.Range(0, 32).Select(lane => lane * (lane + 1) / 2), Run("""
            mov.u32 %r1, 0; mov.u32 %r2, 0;
            LOOP:
            setp.gt.u32 %p1, %r2, %t;
            @%p1 bra DONE;
            add.s32 %r1, %r1, %r2; add.s32 %r2, %r2, 1;
            bra LOOP;
            DONE:
            """));

    [Fact]
    public void Branches_InBranches_JoinAgain() =>
        Assert.Equal(Enumerable.Range(0, 32).Select(lane => (lane & 1) * 10 + (lane & 2) * 100 + 1000), Run("""
            mov.u32 %r1, 0;
            and.b32 %r2, %t, 1; and.b32 %r3, %t, 2;
            setp.eq.u32 %p1, %r2, 0; setp.eq.u32 %p2, %r3, 0;
            @%p2 bra SECOND_LOW;
            @%p1 bra FIRST_LOW;
            add.s32 %r1, %r1, 10;
            FIRST_LOW:
            add.s32 %r1, %r1, 200;
            bra JOIN;
            SECOND_LOW:
            @!%p1 add.s32 %r1, %r1, 10;
            JOIN:
            activemask.b32 %r4;
            setp.eq.u32 %p3, %r4, -1;
            @%p3 add.s32 %r1, %r1, 1000;
            """));

    [Fact]
    public void Guard_LeavesOtherLanesAlone() =>
        Assert.Equal(Enumerable.Range(0, 32).Select(lane => lane < 7 ? lane : -1),
            Run("mov.u32 %r1, -1; setp.lt.u32 %p1, %t, 7; @%p1 mov.u32 %r1, %t;"));

    [Fact]
    public void GuardedWide_LeavesOtherLanesAlone() =>
        Assert.Equal(Enumerable.Range(0, 32).Select(lane => lane % 3 == 0 ? 3 * lane : -1), Run("""
            mov.u64 %d5, -1; rem.u32 %r2, %t, 3; setp.eq.u32 %p1, %r2, 0;
            @%p1 mul.wide.u32 %d5, %t, 3;
            cvt.u32.u64 %r1, %d5;
            """));

    [Fact]
    public void Lane_ThatSpinsOnAnother_LetsItRun() =>
        Assert.All(Run("""
            .reg .b64 %a;
            mov.u32 %r1, 0;
            add.s64 %a, %out, 4;
            setp.eq.u32 %p1, %t, 0;
            @!%p1 bra SET;
            SPIN:
            ld.volatile.global.u32 %r1, [%a];
            setp.eq.u32 %p2, %r1, 0;
            @%p2 bra SPIN;
            bra DONE;
            SET:
            mov.u32 %r1, 9;
            st.volatile.global.u32 [%a], %r1;
            DONE:
            """), value => Assert.Equal(9, value));

    [Fact]
    public void Warp_ThatSpinsOnAnother_LetsItRun()
    {
        for (var seed = 0; seed < 3; seed++)
            Assert.All(Run("""
                mov.u32 %r1, 5;
                setp.ge.u32 %p1, %t, 32;
                @%p1 bra SET;
                SPIN:
                ld.volatile.global.u32 %r1, [%out+252];
                setp.eq.u32 %p2, %r1, 0;
                @%p2 bra SPIN;
                bra DONE;
                SET:
                st.volatile.global.u32 [%out+252], %r1;
                DONE:
                """, 64, seed), value => Assert.Equal(5, value));
    }

    [Fact]
    public void Kernel_WithoutReturn_EndsBehindItsLastInstruction()
    {
        var kernel = PtxModule.Parse(PtxBench.Kernel("").Replace("ret;", "st.global.u32 [%out], 3;"), "test.ptx");
        using var bench = new PtxBench();
        var output = bench.Buffer<int>([0]);
        bench.Launch(kernel.Kernels["test"], output, output);
        Assert.Equal([3], bench.Read<int>(output, 1));
    }

    [Fact]
    public void EndlessLoop_IsStopped()
    {
        var fault = PtxBench.Fault("LOOP: bra LOOP;", options: new() { BranchLimit = 10_000, MemoryBytes = 1 << 20 });
        Assert.Equal(FaultKind.Endless, fault.Kind);
    }

    [Fact]
    public void Trap_IsReported() =>
        Assert.Equal(new Extent(3, 0, 0), PtxBench.Fault("setp.eq.u32 %p1, %t, 3; @%p1 trap;").Thread);

    [Fact]
    public void UniformBranch_ThatIsNot_IsFound() =>
        Assert.Equal(FaultKind.WarpDivergence, PtxBench.Fault("setp.eq.u32 %p1, %t, 3; @%p1 bra.uni DONE; DONE:").Kind);

    [Fact]
    public void BlockVotes_ReachAllThreads() =>
        Assert.All(Run("""
            setp.lt.u32 %p1, %t, 40;
            bar.red.popc.u32 %r1, 0, %p1;
            bar.red.or.pred %p2, 0, !%p1;
            bar.red.and.pred %p3, 0, %p1;
            @%p2 add.s32 %r1, %r1, 100;
            @%p3 add.s32 %r1, %r1, 1000;
            """, 64), value => Assert.Equal(140, value));

    [Fact]
    public void Barrier_ThatSomeThreadsNeverReach_IsFound()
    {
        var fault = PtxBench.Fault("setp.ge.u32 %p1, %t, 32;\n@%p1 ret;\nbar.sync 0;", 64);
        Assert.Equal(FaultKind.BarrierDivergence, fault.Kind);
        Assert.Contains("32 threads of the block reach this barrier; the other 32 have ended", fault.Message);
    }

    [Fact]
    public void Barrier_InOneSideOfABranch_IsFound()
    {
        var fault = PtxBench.Fault("""
            setp.lt.u32 %p1, %t, 16;
            @%p1 bra OTHER;
            bar.sync 0;
            bra DONE;
            OTHER:
            bar.sync 0;
            DONE:
            """);
        Assert.Equal(FaultKind.BarrierDivergence, fault.Kind);
    }

    [Fact]
    public void Barriers_ThatWaitForEachOther_AreFound()
    {
        var fault = PtxBench.Fault("""
            setp.lt.u32 %p1, %t, 32;
            @%p1 bra OTHER;
            bar.sync 1;
            bra DONE;
            OTHER:
            bar.sync 2;
            DONE:
            """, 64);
        Assert.Equal(FaultKind.Deadlock, fault.Kind);
        Assert.Contains("32 threads wait at", fault.Message);
    }

    [Fact]
    public void NamedBarriers_CountTheirThreads() =>
        Assert.All(Run("""
            mov.u32 %r1, 1;
            setp.lt.u32 %p1, %t, 32;
            @%p1 bra OTHER;
            bar.sync 1, 32;
            bra DONE;
            OTHER:
            bar.sync 2, 32;
            DONE:
            bar.sync 0;
            """, 64), value => Assert.Equal(1, value));
}
