using EfficientAD.Models;
using EfficientAD.Training;

namespace EfficientAD.Tests.Training;

public class EarlyStopTests
{
    [Fact]
    public void FallingLoss_NeverEnds()
    {
        var stop = new EarlyStop(10);
        for (int look = 0; look < 100; look++) stop.Add(10 * look + 9, 1000, MathF.Pow(0.98f, look), 1e-3f);
        Assert.Null(stop.End);
        Assert.True(stop.IsDue(9, 1000));
        Assert.False(stop.IsDue(10, 1000));
        Assert.Equal(1e-4f, stop.LearningRateAt(500, planned: 1e-4f));
    }

    [Fact]
    public void FiveLooksWithoutAGain_EndTheRunByATenthWithAFallingRate()
    {
        var stop = new EarlyStop(10);
        // The fifth in a row is the last.
        float[] losses = [1, 0.5f, 0.499f, 0.6f, 0.4f, 0.41f, 0.399f, 0.4f, 0.5f, 0.4f];
        for (int look = 0; look < losses.Length; look++)
        {
            Assert.Null(stop.End);
            stop.Add(10 * look + 9, 1000, losses[look], 1e-3f);
        }

        Assert.Equal(110, stop.End);
        Assert.False(stop.IsDue(109, 1000));
        Assert.Equal(1e-3f * (1 - 0.99f / 10), stop.LearningRateAt(100, planned: 1), 1e-9f);
        Assert.Equal(1e-5f, stop.LearningRateAt(109, planned: 1), 1e-9f);
    }

    [Fact]
    public void ShortRun_LooksTwentyTimesAndNeverEndsLate()
    {
        var stop = new EarlyStop(100);
        Assert.True(stop.IsDue(14, 300));
        Assert.False(stop.IsDue(15, 300));
        Assert.True(stop.IsDue(99, 70_000));
        Assert.True(stop.IsDue(0, 3));
        for (int look = 0; look < 6; look++) stop.Add(95 + look, 102, 1, 1e-3f);
        Assert.Equal(102, stop.End);  // a tenth more would be 111
        Assert.Equal(1e-5f, stop.LearningRateAt(101, planned: 1), 1e-9f);
    }

    [Fact]
    public void State_SurvivesACheckpoint()
    {
        EarlyStop stop = new(10), fresh = new(10), resumed = new(10);
        Assert.True(fresh.TryRestore(stop.State));
        Assert.Null(fresh.End);
        for (int look = 0; look < 6; look++) stop.Add(10 * look + 9, 1000, 1 / 3f, 1e-3f / 3);
        Assert.True(resumed.TryRestore(stop.State));
        Assert.Equal((stop.End, stop.State), (resumed.End, resumed.State));
        Assert.Equal(stop.LearningRateAt(62, 1), resumed.LearningRateAt(62, 1));
    }

    [Theory]
    [InlineData("")]
    [InlineData("1 1 1 1")]
    [InlineData("1 1 x 1 1")]
    [InlineData("1 1 5 60 60")]  // an end that is no later
    public void DamagedState_IsRefused(string state) => Assert.False(new EarlyStop(10).TryRestore(state));

    [Fact]
    public void RunThatLearnsNothing_EndsEarly_AndResumesToTheSameBits()
    {
        using var task = new TinyTask(trainingImages: 4);
        TrainingOptions options = task.Options(200) with
        {
            Recipe = TinyTask.Recipe with { LearningRate = 1e-12f },
            EarlyStopInterval = 2,
        };
        ModelInformation information = Train(task, options);
        Assert.Equal(13, information.Steps);  // six looks: the first is the best, then five without a gain; and a tenth
        Assert.Contains("13 steps instead of 70000", information.Deviations, StringComparison.Ordinal);
        Assert.Contains("held-back", information.Deviations, StringComparison.Ordinal);
        byte[] uninterrupted = File.ReadAllBytes(task.ModelPath);
        File.Delete(task.ModelPath);

        using var cancel = new CancellationTokenSource();
        var stopAfterNine = new Recorder(progress =>
        {
            if (progress is { Phase: TrainingPhase.Steps, Done: 9 }) cancel.Cancel();
        });
        Assert.ThrowsAny<OperationCanceledException>(() => Train(task, options, stopAfterNine, cancel.Token));
        Train(task, options with { Resume = true });
        Assert.Equal(uninterrupted, File.ReadAllBytes(task.ModelPath));
    }

    private static ModelInformation Train(
        TinyTask task, TrainingOptions options, IProgress<TrainingProgress>? progress = null,
        CancellationToken? cancellation = null)
    {
        using var trainer = new EfficientADTrainer(task.Dataset, options);
        return trainer.Run(progress, cancellation ?? TestContext.Current.CancellationToken);
    }

    private sealed class Recorder(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }
}
