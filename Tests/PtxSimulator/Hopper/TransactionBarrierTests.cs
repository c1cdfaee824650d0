using PtxSimulator;

namespace EfficientAD.Tests.PtxSimulator.Hopper;

/// <summary>mbarrier: what it orders, when its phases end, and what misuse shows.</summary>
public class TransactionBarrierTests
{
    // Thread 0 makes a barrier for one arrival of each thread of warp 0; all know of it. %r3: a word of each lane.
    private const string Make = """
        setp.eq.u32 %p1, %t, 0; setp.lt.u32 %p2, %t, 32;
        shl.b32 %r1, %t, 2; and.b32 %r2, %r1, 127; mov.u32 %r3, tile; add.s32 %r3, %r3, %r2;
        cvt.u64.u32 %d1, %r2; add.s64 %d1, %d1, %out;
        @%p2 st.shared.u32 [%r3], 0;
        @%p1 mbarrier.init.shared::cta.b64 [bars], 32;
        bar.sync 0;

        """;

    private const string Write = "st.shared.u32 [%r3], %t;", Arrive = "mbarrier.arrive.shared::cta.b64 %d2, [bars];";

    private const string Wait = """
        WAIT:
        mbarrier.try_wait.parity.shared::cta.b64 %p3, [bars], 0;
        @!%p3 bra WAIT;
        """;

    // Warp 0 writes a word each and arrives; warp 1 waits and passes them on.
    private const string Hand = $"""
        {Make}
        @!%p2 bra READ;
        {Write}
        {Arrive}
        bra DONE;
        READ:
        {Wait}
        ld.shared.u32 %r4, [%r3];
        st.global.u32 [%d1], %r4;
        DONE:
        """;

    [Fact]
    public void Phase_HandsOnWhatWasWrittenBeforeItsArrivals()
    {
        for (var seed = 0; seed < 6; seed++)
            Assert.Equal(Enumerable.Range(0, 32), HopperBench.Run<int, int>(Hand, [0], 32, 64, seed: seed));
    }

    [Theory]
    [InlineData(Wait, "", FaultKind.SharedMemoryRace)]
    [InlineData(Arrive, "", FaultKind.Deadlock)]
    [InlineData(Arrive, "mbarrier.arrive.expect_tx.shared::cta.b64 %d2, [bars], 4;", FaultKind.Deadlock)]
    [InlineData(Arrive, "mbarrier.arrive.shared::cta.b64 %d2, [bars], 3;", FaultKind.InvalidBarrier)]
    [InlineData(Write, "", null)]
    [InlineData(Arrive, Arrive + Write, FaultKind.SharedMemoryRace)] // written after the arrival
    [InlineData("ld.shared.u32 %r4, [%r3];", "ld.shared.u32 %r4, [bars];", FaultKind.InvalidBarrier)]
    [InlineData("bar.sync 0;", "", FaultKind.InvalidBarrier)] // others may come before it is made
    [InlineData("[bars], 32;", "[bars], 0;", FaultKind.InvalidBarrier)]
    [InlineData("[bars], 32;", "[bars+4], 32;", FaultKind.InvalidBarrier)]
    public void PlantedFault_IsFound_UnderEverySchedule(string right, string wrong, FaultKind? expected)
    {
        Assert.Contains(right, Hand);
        HopperBench.AssertFault(expected, Hand.Replace(right, wrong), 64);
    }

    [Fact]
    public void PhaseBeforeTheFirst_IsOver() => Assert.Equal([1], HopperBench.Run<int, int>("""
        mbarrier.init.shared::cta.b64 [bars], 1;
        mbarrier.test_wait.parity.shared::cta.b64 %p1, [bars], 1;
        selp.u32 %r1, 1, 0, %p1;
        st.global.u32 [%out], %r1;
        """, [0], 1, 1));

    [Fact]
    public void States_TellPhasesApart()
    {
        // The state of the arrival that ended the first phase is over, that of the second is not.
        const string Body = """
            mbarrier.init.shared.b64 [bars], 1;
            mbarrier.arrive.release.cta.shared::cta.b64 %d1, [bars];
            mbarrier.test_wait.shared::cta.b64 %p1, [bars], %d1;
            mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [bars], 16;
            mbarrier.arrive.shared::cta.b64 %d2, [bars];
            mbarrier.test_wait.acquire.cta.shared::cta.b64 %p2, [bars], %d2;
            mbarrier.inval.shared::cta.b64 [bars];
            selp.u32 %r1, 1, 0, %p1; selp.u32 %r2, 1, 0, %p2;
            st.shared.u32 [bars], %r1;
            st.global.v2.u32 [%out], {%r1, %r2};
            """;
        Assert.Equal([1, 0], HopperBench.Run<int, int>(Body, [0], 2, 1));
    }

    [Fact]
    public void DeadlockMessage_SaysWhatThePhaseLacks()
    {
        var fault = Assert.Throws<SimulationException>(() => HopperBench.Run<int, int>(
            Hand.Replace(Arrive, ""), [0], 32, 64));
        Assert.Contains("warp 1 waits for phase 0 of the mbarrier at 0x", fault.Message);
        Assert.Contains("which lacks 32 of 32 arrivals and 0 bytes", fault.Message);
    }

    [Theory]
    [InlineData("mbarrier.arrive.noComplete.shared::cta.b64 %d1, [bars], 1;")]
    [InlineData("mbarrier.arrive.shared::cluster.b64 _, [bars];")]
    [InlineData("mbarrier.test_wait.relaxed.cta.shared::cta.b64 %p1, [bars], %d1;")]
    [InlineData("fence.proxy.alias;")]
    public void UnknownForm_IsRefused(string instruction) =>
        Assert.Throws<PtxFormatException>(
            () => PtxModule.Parse(HopperBench.Kernel("mov.u64 %d1, 0;" + instruction, 64), "test.ptx"));

    [Fact]
    public void NamedBarrier_OrdersThoseWhoMeetAlone()
    {
        // Warps 0 and 1 meet; warp 2 does not, and reads what warp 0 writes.
        const string Body = """
            setp.lt.u32 %p1, %t, 32; setp.lt.u32 %p2, %t, 64;
            shl.b32 %r1, %t, 2; and.b32 %r2, %r1, 127; mov.u32 %r3, tile; add.s32 %r3, %r3, %r2;
            @%p1 st.shared.u32 [%r3], 0;
            bar.sync 0;
            @%p1 st.shared.u32 [%r3], %t;
            @!%p2 bra LATE;
            bar.sync 1, 64;
            ld.shared.u32 %r4, [%r3];
            bra DONE;
            LATE:
            ld.shared.u32 %r5, [%r3];
            DONE:
            """;
        HopperBench.AssertFault(FaultKind.SharedMemoryRace, Body, 96);
        HopperBench.AssertFault(null, Body.Replace("ld.shared.u32 %r5, [%r3];", ""), 96);
    }

    [Fact]
    public void ElectedLane_IsOne()
    {
        const string Body = """
            elect.sync %r1|%p1, -1;
            selp.u32 %r2, 1, 0, %p1;
            setmaxnreg.dec.sync.aligned.u32 40;
            mul.wide.u32 %d1, %t, 8; add.s64 %d1, %d1, %out;
            st.global.v2.u32 [%d1], {%r1, %r2};
            """;
        var written = HopperBench.Run<int, int>(Body, [0], 64, 32);
        Assert.Single(Enumerable.Range(0, 32), lane => written[2 * lane + 1] == 1 && written[2 * lane] == lane);
        Assert.Equal(1, Enumerable.Range(0, 32).Sum(lane => written[2 * lane + 1]));
    }
}
