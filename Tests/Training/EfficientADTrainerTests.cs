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

    /// <summary>The one image set aside knows nothing of a mark that one part in five carries.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void GoodPartsThatWereTrainedOn_SetTheThresholdToo(bool pooledHead)
    {
        using var task = new TinyTask(trainingImages: 6);
        IReadOnlyList<string> train = task.Dataset.SplitTrainValidation(1).Train;
        ImageWriter.WritePng(train[2], TinyTask.Part(2, (20, 30)));
        ModelInformation model = Train(task.Dataset, task.Options(2) with { PooledHead = pooledHead });

        using AnomalyDetector detector = AnomalyDetector.Load(
            task.ModelPath, new DetectorOptions { Threads = 1, Mode = DetectionMode.Plain });
        float Score(string path) => detector.Detect(ImageReader.Default.Read(path).View).Score;
        float[] scores = [.. train.Select(Score).Order()];
        float aside = Score(Assert.Single(task.Dataset.SplitTrainValidation(1).Validation));
        float expected = scores[^2] + 0.96f * (scores[^1] - scores[^2])  // 0.99 of the way over four gaps
            + Math.Max(0, aside - scores.Average());
        Assert.Equal(expected, model.Calibration.Threshold, 1e-3f * expected);
        Assert.Equal(1, model.Calibration.Images);
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

    /// <summary>One that was set aside is not looked at by any step; hours of them must not be lost to it.</summary>
    [Fact]
    public void DamagedImageSetAside_IsNamedBeforeTheFirstStep()
    {
        using var task = new TinyTask(trainingImages: 4);
        string aside = Assert.Single(task.Dataset.SplitTrainValidation(1).Validation);
        File.WriteAllBytes(aside, File.ReadAllBytes(aside)[..^20]);

        var phases = new HashSet<TrainingPhase>();
        var refused = Assert.Throws<ImageFormatException>(() => Train(
            task.Dataset, task.Options(2), new Recorder(progress => phases.Add(progress.Phase))));
        Assert.Contains(Path.GetFileName(aside), refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(TrainingPhase.Steps, phases);
    }

    [Fact]
    public void WhatFailsBehindTheSteps_LosesNoneOfThem()
    {
        using var task = new TinyTask(trainingImages: 4);
        Train(task.Dataset, task.Options(3));
        byte[] uninterrupted = File.ReadAllBytes(task.ModelPath);
        File.Delete(task.ModelPath);

        var steps = 0;
        var failing = new Recorder(progress =>
        {
            if (progress.Phase == TrainingPhase.Quantiles) throw new InvalidOperationException("no room");
            if (progress.Phase == TrainingPhase.Steps) steps++;
        });
        Assert.Throws<InvalidOperationException>(() => Train(task.Dataset, task.Options(3), failing));
        Assert.Equal(3, steps);
        Train(
            task.Dataset, task.Options(3) with { Resume = true },
            new Recorder(progress => Assert.NotEqual(TrainingPhase.Steps, progress.Phase)));
        Assert.Equal(uninterrupted, File.ReadAllBytes(task.ModelPath));
    }

    [Fact]
    public void ImageOfAnotherSizeAmongThoseSetAside_LeavesTheSizeOpen()
    {
        using var task = new TinyTask(trainingImages: 4);
        string aside = Assert.Single(task.Dataset.SplitTrainValidation(1).Validation);
        ImageWriter.WritePng(aside, PillowResize.Resize(TinyTask.Part(3).View, 50, 60));
        ModelInformation information = Train(task.Dataset, task.Options(1));
        Assert.Equal((0, 0), (information.ImageHeight, information.ImageWidth));
    }

    [Fact]
    public void HeadOfASingleTrainingImage_IsRefusedAtOnce()
    {
        using var task = new TinyTask(trainingImages: 2);
        var refused = Assert.Throws<DatasetException>(
            () => Train(task.Dataset, task.Options(1) with { PooledHead = true }));
        Assert.Contains("at least 2", refused.Message, StringComparison.Ordinal);
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

    /// <summary>Else the run would take the recipe's 70,000 steps.</summary>
    [Fact]
    public void TimeLimitThatWasInterruptedEarly_IsFittedAfterResuming()
    {
        using var task = new TinyTask(trainingImages: 4);
        TrainingOptions options = task.Options(1) with { Steps = null, Duration = TimeSpan.FromSeconds(10) };
        using var cancel = new CancellationTokenSource();
        var stopAfterTwo = new Recorder(progress =>
        {
            if (progress is { Phase: TrainingPhase.Steps, Done: 2 }) cancel.Cancel();
        });
        Assert.ThrowsAny<OperationCanceledException>(() => Train(task.Dataset, options, stopAfterTwo, cancel));
        using (SafetensorsFile file = SafetensorsFile.Open(task.ModelPath + ".checkpoint"))
            Assert.Equal(("2", "0"), (file.Metadata["step"], file.Metadata["steps"]));

        var schedule = new StepSchedule(options, imagesBehind: 0);
        schedule.ResumeAt(2, null);
        for (int i = 0; i < 5; i++) schedule.Advance();
        Assert.NotNull(schedule.KnownSteps);
        var known = new StepSchedule(options, imagesBehind: 0);
        known.ResumeAt(7, 40);
        for (int i = 0; i < 5; i++) known.Advance();
        Assert.Equal(40, known.KnownSteps);
    }

    [Fact]
    public void PenaltyImagesOfOtherNames_AreAnotherRun()
    {
        TrainingOptions options = new() { ModelPath = "m", PenaltyPaths = ["a/1.png", "a/2.png"] };
        string described = options.Describe();
        Assert.Equal(described, (options with { PenaltyPaths = ["b/1.png", "b/2.png"] }).Describe());
        Assert.NotEqual(described, (options with { PenaltyPaths = ["a/1.png", "a/3.png"] }).Describe());
        Assert.NotEqual(described, (options with { PenaltyPaths = [] }).Describe());
        Assert.NotEqual(described, (options with { PooledHead = true }).Describe());
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
