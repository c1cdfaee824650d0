using PtxSimulator;

namespace EfficientAD.Tests.PtxSimulator.Instructions;

/// <summary>Shuffles, votes and the like: what each of 32 lanes receives.</summary>
public class WarpTests
{
    private static readonly int[] Numbers = [.. Enumerable.Range(0, 32).Select(lane => lane * lane)];

    private static int[] Run(string body) => PtxBench.Run<int, int>($$"""
        mul.wide.u32 %d0, %t, 4;
        add.s64 %d1, %in, %d0;
        add.s64 %d2, %out, %d0;
        ld.global.u32 %r0, [%d1];
        {{body}}
        st.global.u32 [%d2], %r1;
        """, Numbers, 32);

    [Fact]
    public void ShuffleDown_ReadsAhead_AndKeepsItsOwnBeyondTheEnd() =>
        Assert.Equal(Numbers.Select((own, lane) => lane + 3 < 32 ? Numbers[lane + 3] : own),
            Run("shfl.sync.down.b32 %r1|%p1, %r0, 3, 31, -1;"));

    [Fact]
    public void ShuffleDown_OfHalfWarps_StaysWithinThem() =>
        Assert.Equal(Numbers.Select((own, lane) => lane % 16 + 3 < 16 ? Numbers[lane + 3] : own),
            Run("shfl.sync.down.b32 %r1, %r0, 3, 0x100f, -1;"));

    [Fact]
    public void ShuffleUp_ReadsBehind() =>
        Assert.Equal(Numbers.Select((own, lane) => lane >= 5 ? Numbers[lane - 5] : own),
            Run("shfl.sync.up.b32 %r1, %r0, 5, 0, -1;"));

    [Fact]
    public void ShuffleButterfly_ReadsAcross() =>
        Assert.Equal(Numbers.Select((_, lane) => Numbers[lane ^ 9]), Run("shfl.sync.bfly.b32 %r1, %r0, 9, 31, -1;"));

    [Fact]
    public void ShuffleIndex_ReadsOneLane_OfItsSegment() =>
        Assert.Equal(
            Numbers.Select((_, lane) => Numbers[lane / 8 * 8 + 2]), Run("shfl.sync.idx.b32 %r1, %r0, 10, 0x181f, -1;"));

    [Fact]
    public void Shuffle_SaysWhetherItsSourceWasInRange() =>
        Assert.Equal(Enumerable.Range(0, 32).Select(lane => lane + 3 < 32 ? 1 : 0),
            Run("shfl.sync.down.b32 %r2|%p1, %r0, 3, 31, -1; selp.u32 %r1, 1, 0, %p1;"));

    [Fact]
    public void Ballot_CollectsOnePredicatePerLane() =>
        Assert.All(Run("setp.gt.s32 %p1, %r0, 100; vote.sync.ballot.b32 %r1, %p1, -1;"),
            votes => Assert.Equal(~0u << 11, (uint)votes));

    [Theory]
    [InlineData("any", 100, 1)]
    [InlineData("any", 1000, 0)]
    [InlineData("all", -1, 1)]
    [InlineData("all", 0, 0)]
    [InlineData("uni", 1000, 1)]
    [InlineData("uni", 100, 0)]
    public void Vote_IsTheSameForAll(string kind, int bound, int expected) =>
        Assert.All(Run($"setp.gt.s32 %p1, %r0, {bound}; vote.sync.{kind}.pred %p2, %p1, -1; selp.u32 %r1, 1, 0, %p2;"),
            vote => Assert.Equal(expected, vote));

    [Fact]
    public void MatchAny_NamesTheLanesWithTheSameValue() =>
        Assert.Equal(Enumerable.Range(0, 32).Select(lane => 0x11111111 << lane % 4),
            Run("and.b32 %r2, %t, 3; match.any.sync.b32 %r1, %r2, -1;"));

    [Theory]
    [InlineData("add.s32", 10416)]
    [InlineData("min.s32", 0)]
    [InlineData("max.u32", 961)]
    [InlineData("or.b32", 1021)]
    [InlineData("and.b32", 0)]
    public void Reduction_IsTheSameForAll(string operation, int expected) =>
        Assert.All(Run($"redux.sync.{operation} %r1, %r0, -1;"), result => Assert.Equal(expected, result));

    [Fact]
    public void Specials_NameTheThread()
    {
        Assert.Equal(Enumerable.Range(0, 32), Run("mov.u32 %r1, %laneid;"));
        Assert.Equal(Enumerable.Range(0, 32).Select(lane => (1 << lane) - 1), Run("mov.u32 %r1, %lanemask_lt;"));
        Assert.All(Run("mov.u32 %r1, %ntid.x;"), size => Assert.Equal(32, size));
    }

    [Fact]
    public void Shuffle_OfALaneThatIsNotThere_IsFound()
    {
        var fault = PtxBench.Fault("""
            setp.lt.u32 %p1, %t, 16;
            @!%p1 bra DONE;
            shfl.sync.idx.b32 %r1, %t, 20, 31, 0xffff;
            DONE:
            """);
        Assert.Equal(FaultKind.WarpDivergence, fault.Kind);
        Assert.Contains("reads lane 20", fault.Message);
    }

    [Fact]
    public void Shuffle_OfAllLanes_InOneSideOfABranch_IsFound()
    {
        var fault = PtxBench.Fault("""
            setp.lt.u32 %p1, %t, 16;
            @%p1 bra OTHER;
            shfl.sync.down.b32 %r1, %t, 1, 31, -1;
            bra DONE;
            OTHER:
            shfl.sync.down.b32 %r1, %t, 1, 31, -1;
            DONE:
            """);
        Assert.Equal(FaultKind.WarpDivergence, fault.Kind);
        Assert.Contains("0xFFFF0000", fault.Message);
    }
}
