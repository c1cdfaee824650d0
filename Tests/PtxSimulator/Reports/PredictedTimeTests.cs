using PtxSimulator.Counting;
using PtxSimulator.Reports;
using static EfficientAD.Tests.PtxSimulator.Reports.Launches;

namespace EfficientAD.Tests.PtxSimulator.Reports;

/// <summary>Times worked out by hand on a card of round numbers: 10 multiprocessors at 1 GHz.</summary>
public class PredictedTimeTests
{
    private const double Microsecond = 1e-6;

    private static readonly Card Round = new("round", "Round numbers", 80, 10, 1.0, 4, 16, 1000);

    private static LaunchReport TenBlocks => Report(blocks: 10);

    [Fact]
    public void Float32_IsBoundByItsRate() => AssertTime(
        100, Resource.Float32, TenBlocks with { FmaMultiplyAdds = (long)(100 * Microsecond * 4e12 / 2) });

    [Fact]
    public void TensorCores_TakeTf32AtHalfTheRateOfHalf()
    {
        const string half = "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32";
        const string tf32 = "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32";
        AssertTime(102.4, Resource.Tensor, Mma(half, 400_000, 16 * 8 * 16));
        AssertTime(102.4, Resource.Tensor, Mma(tf32, 400_000, 16 * 8 * 8));

        static LaunchReport Mma(string text, long warps, long each) => TenBlocks with
        {
            Instructions = [Instruction(InstructionClass.Mma, text, warps)],
            MmaMultiplyAdds = warps * each,
        };
    }

    [Fact]
    public void Instructions_AreIssuedByFourSchedulers() => AssertTime(
        50, Resource.Issue,
        TenBlocks with { Instructions = [Instruction(InstructionClass.Integer, "add.s32", 2_000_000)] });

    [Fact]
    public void SharedMemory_IsPassedOverOnceACycle() => AssertTime(
        70, Resource.SharedMemory, TenBlocks with
        {
            SharedLoads = new SharedTraffic(1, 1, 400_000, 1),
            SharedStores = new SharedTraffic(1, 1, 300_000, 1),
        });

    /// <summary>All sectors pass the ports of 64 bytes, the different ones the memory of 1000 bytes per nanosecond.
    /// </summary>
    [Fact]
    public void Traffic_IsBoundByCacheOrMemory()
    {
        AssertTime(30, Resource.Cache, TenBlocks with { GlobalLoads = new GlobalTraffic(1, 1, 600_000, 1) });
        AssertTime(64, Resource.Memory, TenBlocks with { GlobalStores = new GlobalTraffic(1, 1, 2, 2_000_000) });
    }

    [Fact]
    public void Imbalance_CountsTheMultiprocessorWithMostBlocks()
    {
        LaunchReport eleven = Report(blocks: 11) with { FmaMultiplyAdds = 110_000_000 };
        AssertTime(100, Resource.Float32, eleven); // 20 / 11 of 55
    }

    [Fact]
    public void EmptyLaunch_TakesItsStart()
    {
        PredictedTime time = PredictedTime.Of(Summary(TenBlocks), Round);
        Assert.Equal((PredictedTime.LaunchMicroseconds, Resource.Launch), (time.Microseconds, time.Bound));
    }

    [Fact]
    public void Cards_KeepTheRelationsOfTheirArchitecture()
    {
        Assert.All(Card.Known, card =>
        {
            double float32 = card.Multiprocessors * 128 * 2 * card.ClockGigahertz / 1000;
            Assert.InRange(card.Float32Teraflops / float32, 0.98, 1.02);
            Assert.Same(card, Card.Find(card.Key.ToUpperInvariant()));
        });
        Assert.Null(Card.Find("voodoo"));
    }

    private static void AssertTime(double microseconds, Resource bound, LaunchReport report)
    {
        PredictedTime time = PredictedTime.Of(Summary(report), Round);
        Assert.Equal(bound, time.Bound);
        Assert.Equal(microseconds + PredictedTime.LaunchMicroseconds, time.Microseconds, 1e-6);
    }
}
