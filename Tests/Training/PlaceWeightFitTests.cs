using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Networks;
using EfficientAD.Tests.Backends;
using EfficientAD.Training;

namespace EfficientAD.Tests.Training;

/// <summary>Where a trained student errs more on good parts, the local map counts less; the model's file says how
/// much.</summary>
public class PlaceWeightFitTests
{
    [Fact]
    public void Weights_AreThoseOfTheTrainingImages()
    {
        using var task = new TinyTask(trainingImages: 8);
        TrainingOptions options = task.Options(3) with { Recipe = TinyTask.Recipe with { WeighsPlaces = true } };
        using (var trainer = new EfficientADTrainer(task.Dataset, options))
        {
            ModelInformation information = trainer.Run(null, TestContext.Current.CancellationToken);
            Assert.Contains("places of the local map weighed", information.Deviations, StringComparison.Ordinal);
        }

        using var backend = new CpuBackend(new CpuOptions { Threads = 2 });
        using ModelFile file = ModelFile.Open(task.ModelPath);
        using DetectionNetworks networks = file.Load(backend), published = Published(backend, networks);
        using var plan = new DetectionPlan(published, MapOrder.Aligned, TinyTask.Size, TinyTask.Size);
        HostTensor? sum = null;
        foreach (string path in task.Dataset.SplitTrainValidation(options.Seed).Train)
        {
            plan.ComputeMaps(ImageReader.Default.Read(path).View);
            HostTensor map = HostTensor.FromFloats(plan.LocalMap.Shape, backend.Download(plan.LocalMap));
            HostTensor smooth = PlainLosses.WeighPlaces(map, map.Map(_ => 1));
            sum = sum is null ? smooth : sum + smooth;
        }

        double mean = sum!.Values.Average();
        float[] weights = backend.Download(networks.PlaceWeights!);
        TensorAssert.Close(sum.Map(error => 2 * mean / (error + mean)).Values, weights, 1e-5, because: "float sums");
        Assert.True(weights.Max() > 1.02f * weights.Min(), "A student of three steps errs alike everywhere.");
    }

    [Fact]
    public void Calibration_KeepsWeightsUnlessToldToFindThem()
    {
        using var task = new TinyTask(trainingImages: 8);
        TrainingOptions options = task.Options(2) with { Recipe = TinyTask.Recipe with { WeighsPlaces = true } };
        using (var trainer = new EfficientADTrainer(task.Dataset, options))
            trainer.Run(null, TestContext.Current.CancellationToken);
        float[] trained = WeightsOf(task.ModelPath)!;

        using var other = new TinyTask(trainingImages: 3);
        string kept = Calibrate(task.ModelPath, other, "kept", weighsPlaces: false);
        Assert.Equal(trained, WeightsOf(kept));
        Assert.NotEqual(trained, WeightsOf(Calibrate(task.ModelPath, other, "found", weighsPlaces: true)));
    }

    [Fact]
    public void Calibration_SaysThatPlacesAreWeighedNow()
    {
        using var task = new TinyTask(trainingImages: 8);
        TrainingOptions options = task.Options(2) with { Recipe = Recipe.Quick with { WeighsPlaces = false } };
        using (var trainer = new EfficientADTrainer(task.Dataset, options))
        {
            string trained = trainer.Run(null, TestContext.Current.CancellationToken).Deviations;
            Assert.Contains("all places of the local map alike", trained, StringComparison.Ordinal);
        }

        using ModelFile file = ModelFile.Open(Calibrate(task.ModelPath, task, "weighed", weighsPlaces: true));
        Assert.DoesNotContain("alike", file.Information.Deviations, StringComparison.Ordinal);
        Assert.Contains("places of the local map weighed", file.Information.Deviations, StringComparison.Ordinal);
    }

    private static DetectionNetworks Published(CpuBackend backend, DetectionNetworks networks)
    {
        var copy = new DetectionNetworks(backend, PdnSize.Small, padded: false, trainable: false);
        copy.CopyFrom(networks);
        return copy;
    }

    private static string Calibrate(string model, TinyTask task, string name, bool weighsPlaces)
    {
        string path = Path.Combine(Path.GetDirectoryName(model)!, $"{name}.safetensors");
        using var calibrator = new ModelCalibrator(task.Dataset, new CalibrationOptions
        {
            ModelPath = model,
            OutputPath = path,
            WeighsPlaces = weighsPlaces,
            Cpu = new CpuOptions { Threads = 2 },
        });
        calibrator.Run(null, TestContext.Current.CancellationToken);
        return path;
    }

    private static float[]? WeightsOf(string model)
    {
        using var backend = new CpuBackend(new CpuOptions { Threads = 1 });
        using ModelFile file = ModelFile.Open(model);
        using DetectionNetworks networks = file.Load(backend);
        return networks.PlaceWeights is { } weights ? backend.Download(weights) : null;
    }
}
