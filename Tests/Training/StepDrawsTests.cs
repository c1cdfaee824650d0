using EfficientAD.Imaging;
using EfficientAD.Training;

namespace EfficientAD.Tests.Training;

public class StepDrawsTests
{
    [Fact]
    public void EveryEpoch_ShowsEveryImageOnce_InAnotherOrder()
    {
        var draws = new StepDraws(seed: 3);
        int[] first = [.. Enumerable.Range(0, 20).Select(i => draws.ImageIndex(i, 20))];
        int[] second = [.. Enumerable.Range(20, 20).Select(i => draws.ImageIndex(i, 20))];
        Assert.Equal(Enumerable.Range(0, 20), first.Order());
        Assert.Equal(Enumerable.Range(0, 20), second.Order());
        Assert.NotEqual(first, second);
    }

    [Fact]
    public void ADraw_DependsOnSeedAndSampleAlone()
    {
        var forwards = new StepDraws(seed: 3);
        var jumped = new StepDraws(seed: 3);
        for (int i = 0; i < 45; i++) forwards.ImageIndex(i, 20);
        Assert.Equal(forwards.ImageIndex(45, 20), jumped.ImageIndex(45, 20));
        Assert.Equal(forwards.Jitter(7), jumped.Jitter(7));
        Assert.NotEqual(forwards.Jitter(7), new StepDraws(seed: 4).Jitter(7));
    }

    [Fact]
    public void Jitter_UsesAllThreeKindsAndTheWholeRange()
    {
        var draws = new StepDraws(seed: 5);
        ColourAdjustment[] drawn = [.. Enumerable.Range(0, 3000).Select(i => draws.Jitter(i))];
        ColourAdjustmentKind[] kinds =
            [ColourAdjustmentKind.Brightness, ColourAdjustmentKind.Contrast, ColourAdjustmentKind.Saturation];
        foreach (ColourAdjustmentKind kind in kinds)
            Assert.InRange(drawn.Count(adjustment => adjustment.Kind == kind), 900, 1100);
        Assert.InRange(drawn.Min(adjustment => adjustment.Factor), 0.8f, 0.802f);
        Assert.InRange(drawn.Max(adjustment => adjustment.Factor), 1.198f, 1.2f);
        Assert.InRange(drawn.Average(adjustment => adjustment.Factor), 0.99f, 1.01f);
    }

    [Fact]
    public void Penalty_TurnsThirtyPercentGrey()
    {
        var draws = new StepDraws(seed: 5);
        int grey =
            Enumerable.Range(0, 3000).Count(i => draws.Penalty(i, 10).Adjustment.Kind == ColourAdjustmentKind.Grey);
        Assert.InRange(grey, 820, 980);
    }
}
