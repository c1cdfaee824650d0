using EfficientAD.Data;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Metrics;
using EfficientAD.Models;
using EfficientAD.Training;

namespace EfficientAD.Tests.Training;

public class EfficientADTrainerTests
{
    public static TheoryData<string> Recipes => ["quick", "reference"];

    [Theory, MemberData(nameof(Recipes))]
    public void Run_SeparatesDefectsFromGoodParts(string recipe)
    {
        using var task = new TinyTask();
        var losses = new List<float>();
        ModelInformation information = Train(task.Dataset, Options(task, recipe, 60), new Recorder(progress =>
        {
            if (progress.Losses is { } step) losses.Add(step.Total);
        }));

        using AnomalyDetector detector = AnomalyDetector.Load(task.ModelPath, new DetectorOptions { Threads = 2 });
        float[] scores = [.. Enumerable.Range(0, 16).Select(i =>
            detector.Detect(TinyTask.Part(2000 + i, i < 8 ? null : (14 + 4 * (i - 8), 46 - 3 * (i - 8))).View).Score)];
        bool[] anomalous = [.. Enumerable.Range(0, 16).Select(i => i >= 8)];
        Assert.Equal(60, losses.Count);
        Assert.True(losses[^1] < 0.85f * losses[0], $"The loss went from {losses[0]} to {losses[^1]}.");
        Assert.Equal(1, RocCurve.Compute(scores, anomalous)!.AreaUnderCurve, 6);
        Assert.Equal(60, information.Steps);
        Assert.Equal((TinyTask.Size, TinyTask.Size), (information.ImageHeight, information.ImageWidth));
        Assert.Contains(
            $"60 steps instead of {Recipe.Named(recipe).Steps}", information.Deviations, StringComparison.Ordinal);
        Assert.False(File.Exists(task.ModelPath + ".checkpoint"));
    }

    [Theory, MemberData(nameof(Recipes))]
    public void Resume_GivesTheBitsOfAnUninterruptedRun(string recipe)
    {
        using var task = new TinyTask(trainingImages: 4);
        TrainingOptions options = Options(task, recipe, 6);
        Train(task.Dataset, options);
        byte[] uninterrupted = File.ReadAllBytes(task.ModelPath);
        File.Delete(task.ModelPath);

        using var cancel = new CancellationTokenSource();
        var stopAfterThree = new Recorder(progress =>
        {
            if (progress is { Phase: TrainingPhase.Steps, Done: 3 }) cancel.Cancel();
        });
        Assert.ThrowsAny<OperationCanceledException>(() => Train(task.Dataset, options, stopAfterThree, cancel));
        Assert.False(File.Exists(task.ModelPath));
        Train(task.Dataset, options with { Resume = true });
        Assert.Equal(uninterrupted, File.ReadAllBytes(task.ModelPath));
    }

    [Fact]
    public void Resume_WithOtherOptions_IsRefused()
    {
        using var task = new TinyTask(trainingImages: 4);
        using var cancel = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => Train(
            task.Dataset, task.Options(6),
            new Recorder(progress => { if (progress.Phase == TrainingPhase.Steps) cancel.Cancel(); }), cancel));

        var refused = Assert.Throws<ModelFormatException>(
            () => Train(task.Dataset, task.Options(6) with { Resume = true, Seed = 2 }));
        Assert.Contains("other options", refused.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(task.ModelPath + ".checkpoint"));
    }

    [Fact]
    public void LossThatIsNotFinite_StopsTheRunAndWritesNoModel()
    {
        using var task = new TinyTask(trainingImages: 4);
        TrainingOptions options = task.Options(30);
        options = options with { Recipe = options.Recipe with { LearningRate = 1e18f } };

        var diverged = Assert.Throws<TrainingDivergedException>(() => Train(task.Dataset, options));
        Assert.Contains("not finite", diverged.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(task.ModelPath));
    }

    [Fact]
    public void DamagedTrainingImage_IsNamed()
    {
        using var task = new TinyTask(trainingImages: 4);
        foreach (string path in task.Dataset.Train) File.WriteAllBytes(path, File.ReadAllBytes(path)[..^20]);

        var refused = Assert.Throws<ImageFormatException>(() => Train(task.Dataset, task.Options(2)));
        Assert.Contains(".png", refused.Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Recipes))]
    public void InputThatIsNotSquareAndABatchOfTwo_Train(string recipe)
    {
        using var task = new TinyTask(trainingImages: 4);
        TrainingOptions options = Options(task, recipe, 2) with { InputHeight = 48, InputWidth = 80 };
        Train(task.Dataset, options with { Recipe = options.Recipe with { BatchSize = 2 } });

        using AnomalyDetector detector = AnomalyDetector.Load(task.ModelPath, new DetectorOptions { Threads = 1 });
        Assert.NotEqual(Verdict.Invalid, detector.Detect(TinyTask.Part(1).View).Verdict);
    }

    [Theory]
    [InlineData("quick", true)]
    [InlineData("reference", false)]
    public void GlobalMapOfAnUntrainedAutoencoder_IsNotBlownUp(string recipe, bool isWeighed)
    {
        using var task = new TinyTask(trainingImages: 4);
        MapScaling scaling = Train(task.Dataset, Options(task, recipe, 1)).Scaling;
        float local = scaling.LocalHigh - scaling.LocalLow, global = scaling.GlobalHigh - scaling.GlobalLow;
        Assert.True(scaling.IsValid);
        // A tenth, divided by the little that it explains.
        if (isWeighed) Assert.InRange(global, 5 * local, float.PositiveInfinity);
        else Assert.InRange(global, 0, local);
    }

    [Fact]
    public void TimeLimit_FitsTheNumberOfSteps()
    {
        using var task = new TinyTask(trainingImages: 4);
        ModelInformation information = Train(
            task.Dataset, task.Options(1) with { Steps = null, Duration = TimeSpan.FromSeconds(10) });
        Assert.InRange(information.Steps, 5, 999);
    }

    private static TrainingOptions Options(TinyTask task, string recipe, int steps) =>
        recipe == "quick" ? task.Options(steps) with { Recipe = Recipe.Quick } : task.Options(steps);

    private static ModelInformation Train(
        AnomalyDataset dataset, TrainingOptions options,
        IProgress<TrainingProgress>? progress = null, CancellationTokenSource? cancel = null)
    {
        using var trainer = new EfficientADTrainer(dataset, options);
        return trainer.Run(progress, cancel?.Token ?? TestContext.Current.CancellationToken);
    }

    private sealed class Recorder(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }
}
