using EfficientAD.Backends.Cpu;
using EfficientAD.Data;
using EfficientAD.Detection;
using EfficientAD.Models;
using EfficientAD.Models.Import;
using EfficientAD.Tests.Models.Import;
using EfficientAD.Tests.References;
using EfficientAD.Training;

namespace EfficientAD.Tests.Training;

/// <summary>Networks of the reference, calibrated as its own script does it (published_weights.py, in
/// double).</summary>
public sealed class ModelCalibratorTests(PublishedFolder published) : IClassFixture<PublishedFolder>
{
    private static readonly ReferenceFile Reference = ReferenceFile.Open("published/published.safetensors");

    [Fact]
    public void ReferenceNetworks_GetTheStatisticsAndQuantilesOfTheReference()
    {
        string networks = Path.Combine(published.Root, "networks.safetensors");
        string model = Path.Combine(published.Root, "calibrated.safetensors");
        using (var importer = new ModelImporter(
            [published["teacher_small.pth"], published["student_final.pth"], published["autoencoder_final.pth"]]))
            importer.Save(networks);
        AnomalyDataset dataset = DatasetReader.Open(published.DataSet());
        using var calibrator = new ModelCalibrator(dataset, Options(networks, model) with { EightBits = true });
        Assert.Equal((CalibrationSplit.Reference, true), (calibrator.Split, calibrator.NeedsStatistics));
        Assert.Equal((9, 1), (calibrator.Images.Train.Count, calibrator.Images.Validation.Count));
        ModelInformation information = calibrator.Run(cancellation: TestContext.Current.CancellationToken);

        Assert.Equal((1, 1), (information.Int8!.Value.Images, information.Fp8!.Value.Images));
        Assert.Equal(["int8", "fp8"], calibrator.Precisions.Select(report => report.Precision));
        double[] expected = Reference.Doubles("reference.quantiles").ToArray();
        MapScaling scaling = information.Scaling;
        float[] quantiles = [scaling.LocalLow, scaling.LocalHigh, scaling.GlobalLow, scaling.GlobalHigh];
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], quantiles[i], 1e-4 * expected[i]);
        using SafetensorsFile file = SafetensorsFile.Open(model);
        Compare(file, "teacher_mean", "reference.mean");
        Compare(file, "teacher_std", "reference.deviation");
        Assert.Equal(
            (256, 256, "noise", "reference"),
            (information.ImageHeight, information.ImageWidth, information.Data, information.Recipe));

        // The model judges, and can be calibrated again: its statistics stay, and so does what was found.
        using (AnomalyDetector detector = AnomalyDetector.Load(model, new DetectorOptions { Threads = 2 }))
            Assert.NotEqual(Verdict.Invalid, detector.Detect(PublishedFolder.Picture(0).View).Verdict);
        CalibrationOptions options = Options(model, Path.Combine(published.Root, "again.safetensors"));
        using var again = new ModelCalibrator(dataset, options with { Split = CalibrationSplit.Reference });
        Assert.False(again.NeedsStatistics);
        ModelInformation second = again.Run(cancellation: TestContext.Current.CancellationToken);
        Assert.Equal((information.Scaling, information.Calibration), (second.Scaling, second.Calibration));
        Assert.Equal((null, null), (second.Int8, second.Fp8));
        Assert.Contains("calibrated on 1 images of noise", second.Deviations, StringComparison.Ordinal);
    }

    /// <summary>What a training left out of its recipe is only told by the model's scales and head.</summary>
    [Fact]
    public void Calibration_KeepsWhatTrainingChose()
    {
        using var task = new TinyTask(trainingImages: 8);
        Recipe recipe = TinyTask.Recipe;

        ModelInformation alone = Recalibrate(
            task, task.Options(2) with { Recipe = recipe with { Autoencoder = false } });
        Assert.Equal((0f, 0f), (alone.Scaling.GlobalLow, alone.Scaling.GlobalHigh));
        Assert.Null(alone.Pooled);

        ModelInformation alike = Recalibrate(
            task, task.Options(2) with { Recipe = recipe with { SeparateMapScales = false }, PooledHead = true });
        Assert.Equal(
            (alike.Scaling.LocalLow, alike.Scaling.LocalHigh), (alike.Scaling.GlobalLow, alike.Scaling.GlobalHigh));
        Assert.True(alike.Pooled is { IsValid: true });

        ModelInformation separate = Recalibrate(task, task.Options(2) with { Recipe = recipe });
        Assert.NotEqual(separate.Scaling.LocalLow, separate.Scaling.GlobalLow);
        Assert.True(separate.Scaling.GlobalScale > 0);
    }

    /// <summary>On the images that a model was trained on its student is too good: those it set aside count.</summary>
    [Fact]
    public void OwnTrainingImages_AreSplitAsTheTrainingDid()
    {
        using var task = new TinyTask(trainingImages: 8);
        ModelInformation trained;
        using (var trainer = new EfficientADTrainer(task.Dataset, task.Options(2) with { Seed = 3 }))
            trained = trainer.Run(null, TestContext.Current.CancellationToken);
        string path = Path.Combine(task.Root, "again.safetensors");
        using (var calibrator = new ModelCalibrator(task.Dataset, Options(task.ModelPath, path)))
        {
            Assert.Equal(CalibrationSplit.Training, calibrator.Split);
            ModelInformation again = calibrator.Run(null, TestContext.Current.CancellationToken);
            Assert.Equal((trained.Scaling, trained.Calibration), (again.Scaling, again.Calibration));
        }

        using var other = new TinyTask(trainingImages: 7);
        using var calibratorOfOthers = new ModelCalibrator(other.Dataset, Options(task.ModelPath, path));
        Assert.Equal(CalibrationSplit.All, calibratorOfOthers.Split);
        Assert.Equal(7, calibratorOfOthers.Images.Validation.Count);
    }

    private static ModelInformation Recalibrate(TinyTask task, TrainingOptions options)
    {
        File.Delete(options.ModelPath);
        using (var trainer = new EfficientADTrainer(task.Dataset, options))
            trainer.Run(null, TestContext.Current.CancellationToken);
        string model = Path.Combine(Path.GetDirectoryName(options.ModelPath)!, "calibrated.safetensors");
        ModelInformation information;
        using (var calibrator = new ModelCalibrator(task.Dataset, Options(options.ModelPath, model)))
            information = calibrator.Run(null, TestContext.Current.CancellationToken);
        using AnomalyDetector detector = AnomalyDetector.Load(model, new DetectorOptions { Threads = 2 });
        Assert.NotEqual(Verdict.Invalid, detector.Detect(TinyTask.Part(0).View).Verdict);
        return information;
    }

    [Fact]
    public void Permutation_IsPyTorchs()
    {
        Assert.Equal(
            Reference.Integers("reference.order").ToArray(), TorchPermutation.Create(10, 42).Select(i => (long)i));
        Assert.Equal(
            Reference.Integers("reference.order_of_1000").ToArray(),
            TorchPermutation.Create(1000, 42).Select(i => (long)i));
    }

    private static CalibrationOptions Options(string from, string to) =>
        new() { ModelPath = from, OutputPath = to, Cpu = new CpuOptions { Threads = 2 } };

    private static void Compare(SafetensorsFile file, string name, string reference)
    {
        float[] expected = Reference.Floats(reference).ToArray(), actual = new float[expected.Length];
        file.ReadFloats(name, actual);
        float scale = expected.Max(Math.Abs);
        TensorAssert.Close(expected, actual, 1e-4 * scale, because: $"{name}: float features against double ones");
    }
}
