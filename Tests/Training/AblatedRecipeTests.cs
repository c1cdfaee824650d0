using EfficientAD.Detection;
using EfficientAD.Models;
using EfficientAD.Training;

namespace EfficientAD.Tests.Training;

/// <summary>Recipes with a part left out: what is left out costs nothing and counts for nothing.</summary>
public class AblatedRecipeTests
{
    [Fact]
    public void StudentTeacher_ScoresByTheLocalMapAlone()
    {
        using var task = new TinyTask(trainingImages: 4);
        var losses = new List<StepLosses>();
        TrainingOptions options = task.Options(4) with { Recipe = Recipe.StudentTeacher };
        ModelInformation information = Train(task, options, losses);
        Assert.All(losses, loss => Assert.Equal((0, 0, 0), (loss.Penalty, loss.Autoencoder, loss.StudentAutoencoder)));
        Assert.Equal(
            (0, 0, 0),
            (information.Scaling.GlobalLow, information.Scaling.GlobalHigh, information.Scaling.GlobalScale));
        Assert.Equal("none", information.Penalty);

        using AnomalyDetector detector = AnomalyDetector.Load(task.ModelPath, new DetectorOptions { Threads = 2 });
        BranchResults results = detector.DetectBranches(TinyTask.Part(9, spot: (30, 30)).View);
        Assert.Equal(results.Local.Map!.Values, results.Both.Map!.Values);
        Assert.All(results.Global.Map!.Values, value => Assert.Equal(0, value));
    }

    /// <summary>At a quantile of 0 every feature counts: the same losses as the mean squared error's, whose mean over
    /// the teacher's normalised features is near 1 for a student that knows nothing.</summary>
    [Fact]
    public void QuantileOfZero_IsTheMeanSquaredError()
    {
        using var task = new TinyTask(trainingImages: 4);
        var losses = new List<StepLosses>();
        Train(task, task.Options(1) with { Recipe = Recipe.StudentTeacher }, losses);
        Assert.InRange(losses[0].Hard, 0.9f, 1.3f);
        losses.Clear();
        Train(task, task.Options(1) with { Recipe = Recipe.StudentTeacher with { HardQuantile = 0.9f } }, losses);
        Assert.True(losses[0].Hard > 2, $"The hardest tenth's loss is {losses[0].Hard}.");
    }

    [Fact]
    public void CommonScale_IsThatOfTheLocalMap()
    {
        using var task = new TinyTask(trainingImages: 4);
        TrainingOptions options =
            task.Options(2) with { Recipe = TinyTask.Recipe with { SeparateMapScales = false, Penalty = false } };
        ModelInformation information = Train(task, options, []);
        MapScaling scaling = information.Scaling;
        Assert.Equal((scaling.LocalLow, scaling.LocalHigh), (scaling.GlobalLow, scaling.GlobalHigh));
        Assert.Contains("one scale for both maps", information.Deviations, StringComparison.Ordinal);
        Assert.Contains("without the penalty", information.Deviations, StringComparison.Ordinal);
    }

    /// <summary>The first step's losses are those of the initial weights, which both runs share.</summary>
    [Fact]
    public void WithoutDropout_TheAutoencoderAloneSaysSomethingElse()
    {
        using var task = new TinyTask(trainingImages: 4);
        var losses = new List<StepLosses>();
        foreach (bool dropout in new[] { true, false, false })
            Train(task, task.Options(1) with { Recipe = TinyTask.Recipe with { Dropout = dropout } }, losses);
        Assert.Equal(losses[0].Hard, losses[1].Hard);
        Assert.NotEqual(losses[0].Autoencoder, losses[1].Autoencoder);
        Assert.Equal(losses[1], losses[2]);
    }

    private static ModelInformation Train(TinyTask task, TrainingOptions options, List<StepLosses> losses)
    {
        using var trainer = new EfficientADTrainer(task.Dataset, options);
        return trainer.Run(new Recorder(losses), TestContext.Current.CancellationToken);
    }

    private sealed class Recorder(List<StepLosses> losses) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (value.Losses is { } step) losses.Add(step);
        }
    }
}
