using System.Text;
using EfficientAD.Detection;
using EfficientAD.Models;
using EfficientAD.Models.Import;
using EfficientAD.Networks;
using EfficientAD.Tests.Models.Torch;
using EfficientAD.Tests.References;

namespace EfficientAD.Tests.Models.Import;

/// <summary>Whole models of anomalib become models of ours that judge an image as PyTorch did.</summary>
public sealed class ModelImporterTests(PublishedFolder published) : IClassFixture<PublishedFolder>
{
    private static readonly ReferenceFile Reference = ReferenceFile.Open("published/published.safetensors");

    public static TheoryData<string> Models =>
        new() { "anomalib_2.ckpt", "anomalib_2.pt", "anomalib_1.pt", "anomalib_2.onnx" };

    [Theory, MemberData(nameof(Models))]
    public void WholeModel_KeepsEverythingThatItWasCalibratedTo(string file)
    {
        ImportedModel imported = Import(out string path, file);
        Assert.Equal((ImportedKind.Model, PdnSize.Small, false), (imported.Kind, imported.Size, imported.Padded));
        Assert.Empty(imported.Missing);
        using ModelFile model = ModelFile.Open(path);
        ModelInformation information = model.Information;
        Assert.Equal((MapOrder.Anomalib, "anomalib", 256, 256, 0), (
            information.MapOrder, information.Recipe, information.InputHeight, information.InputWidth,
            information.ImageHeight));
        ReadOnlySpan<double> quantiles = Reference.Doubles("anomalib.quantiles");
        ReadOnlySpan<double> threshold = Reference.Doubles("anomalib.threshold");
        // ONNX keeps the difference of two quantiles, rounded once more.
        double tolerance = file.EndsWith(".onnx", StringComparison.Ordinal) ? 1e-6 : 0;
        MapScaling kept = information.Scaling;
        float[] scaling = [kept.LocalLow, kept.LocalHigh, kept.GlobalLow, kept.GlobalHigh];
        for (int i = 0; i < 4; i++)
            Assert.InRange(scaling[i], quantiles[i] * (1 - tolerance), quantiles[i] * (1 + tolerance));
        Assert.Equal((float)threshold[0], information.Calibration.Threshold);
        Assert.Equal((threshold[2] - threshold[1]) / 4, information.Calibration.Scale, 1e-6);
        Assert.Equal((0f, 0), (information.Calibration.FalsePositiveRate, information.Calibration.Images));
    }

    [Theory]
    [InlineData("anomalib_2.ckpt")]
    [InlineData("anomalib_2.onnx")]
    public void ImportedModel_JudgesAnImageAsPyTorchDid(string file)
    {
        Import(out string path, file);
        using AnomalyDetector detector = AnomalyDetector.Load(path, new DetectorOptions { Threads = 2 });
        DetectionResult result = detector.Detect(PublishedFolder.Picture(3).View);
        double score = Reference.Doubles("anomalib.score")[0];
        Assert.Equal(score, result.Score, 2e-4 * Math.Abs(score));
        Summary.Matches(
            Reference, "anomalib.map", new(1, 1, 256, 256), result.Map!.Values, 2e-4,
            "float rounding, magnified by the scaling of the maps");
        Assert.Equal(Verdict.Anomalous, result.Verdict);  // the threshold is 0.8 of the score
    }

    [Theory]
    [InlineData("teacher_small.pth", PdnSize.Small)]
    [InlineData("teacher_medium.pth", PdnSize.Medium)]
    [InlineData("pretrained_teacher_small.pth", PdnSize.Small)]
    public void TeacherAlone_BecomesATeacher(string file, PdnSize size)
    {
        ImportedModel imported = Import(out string path, file);
        Assert.Equal((ImportedKind.Teacher, size), (imported.Kind, imported.Size));
        using SafetensorsFile teacher = SafetensorsFile.Open(path);
        Assert.Contains("conv1.weight", teacher.Names);
    }

    [Fact]
    public void ReferenceNetworks_AwaitCalibration()
    {
        // In any order: what a file holds is told by its shapes.
        ImportedModel imported = Import(
            out string path, "student_final.pth", "autoencoder_final.pth", "teacher_small.pth");
        Assert.Equal(ImportedKind.Uncalibrated, imported.Kind);
        Assert.Equal(["teacher statistics", "map quantiles", "threshold"], imported.Missing);
        var error = Assert.Throws<ModelFormatException>(() => ModelFile.Open(path));
        Assert.Contains(
            "is not calibrated: it lacks teacher statistics, map quantiles, threshold", error.Message,
            StringComparison.Ordinal);
        Assert.Contains("efficientad calibrate --model", error.Message, StringComparison.Ordinal);
        using UncalibratedModel model = UncalibratedModel.Open(path);
        Assert.False(model.HasStatistics);
        Assert.Equal((MapOrder.Reference, "reference"), (model.Information.MapOrder, model.Information.Recipe));
    }

    [Fact]
    public void MetadataOfVersion1_GiveAnOnnxModelItsThreshold()
    {
        string model = Write("version1.onnx", OnnxWithoutThreshold());
        byte[] json = """
            {"task": "segmentation", "image_threshold": 0.5, "pred_scores.min": -1, "pred_scores.max": 3}
            """u8.ToArray();
        string metadata = Write("metadata.json", json);
        Assert.Equal(["threshold"], Import(out _, model).Missing);
        Calibration calibration = Import(out _, model, metadata).Information!.Calibration;
        Assert.Equal((0.5f, 1f), (calibration.Threshold, calibration.Scale));
    }

    [Theory]
    [InlineData("student_final.pth", "has the student but not the teacher and the autoencoder")]
    [InlineData("student_final.pth|autoencoder_final.pth", "has the student and the autoencoder but not the teacher")]
    [InlineData("teacher_small.pth|pretrained_teacher_small.pth", "hold a teacher. Name only one")]
    [InlineData("teacher_medium.pth|student_final.pth|autoencoder_final.pth", "is Medium, the student in")]
    [InlineData("arrays.npz", "is a zip archive but not one written by torch.save")]
    public void FilesThatDoNotMakeAModel_AreTold(string files, string reason)
    {
        var error = Assert.Throws<ModelFormatException>(() => Import(out _, files.Split('|')));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OtherNetworks_AreListed()
    {
        var writer = new SafetensorsWriter();
        writer.Add("features.0.weight", [64, 3, 3, 3], new float[64 * 27]);
        string path = Path.Combine(published.Root, "vgg.safetensors");
        writer.Save(path);
        var error = Assert.Throws<ModelFormatException>(() => Import(out _, path));
        Assert.Contains(
            "holds no network of EfficientAD. It holds features.0.weight.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ModelForOtherSizesOfImages_IsRefused()
    {
        // The sizes in the pickle: [256, 256] of the resize.
        byte[] bytes = File.ReadAllBytes(published["anomalib_1.pt"]);
        int size = bytes.AsSpan().IndexOf("X\u0004\0\0\0size"u8);
        Assert.True(size > 0);
        int number = size + bytes.AsSpan(size).IndexOf("M\0\u0001"u8);
        bytes[number + 2] = 2;
        var error = Assert.Throws<ModelFormatException>(() => Import(out _, Write("wide.pt", bytes)));
        Assert.Contains("was trained on images of 512 x 256", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MapsWithoutBorder_AreThoseOfThePaper()
    {
        ImportedModel imported = Import(out _, published.Switched("pad_maps", to: false));
        Assert.Equal((ImportedKind.Model, MapOrder.Paper), (imported.Kind, imported.Information!.MapOrder));
    }

    [Fact]
    public void PaddedNetworksWithBorderedMaps_MustBeCalibratedAnew()
    {
        ImportedModel imported = Import(out string path, published.Switched("padding", to: true));
        Assert.Equal((ImportedKind.Uncalibrated, true), (imported.Kind, imported.Padded));
        Assert.Equal(["map quantiles", "threshold"], imported.Missing);
        Assert.Contains(imported.Notes, note => note.Contains("border of zeros", StringComparison.Ordinal));
        using UncalibratedModel model = UncalibratedModel.Open(path);
        Assert.True(model.HasStatistics);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ConfigurationOfVersion0_SaysWhatThatOfLaterOnesDoes(bool isPadded)
    {
        string file = Configured(
            PickleBytes.Node(pickle => pickle.Add(isPadded ? (byte)0x88 : (byte)0x89)),
            PickleBytes.Node(pickle => pickle.Integer(256)));
        ImportedModel imported = Import(out _, file);
        Assert.Equal(
            (isPadded ? ImportedKind.Uncalibrated : ImportedKind.Model, isPadded), (imported.Kind, imported.Padded));
        Assert.DoesNotContain(imported.Notes, note => note.Contains("don't say", StringComparison.Ordinal));

        file = Configured(null, PickleBytes.List(
            PickleBytes.Node(pickle => pickle.Integer(512)), PickleBytes.Node(pickle => pickle.Integer(256))));
        var error = Assert.Throws<ModelFormatException>(() => Import(out _, file));
        Assert.Contains("was trained on images of 512 x 256", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatNoFileSays_IsAssumedAloud()
    {
        ImportedModel imported = Import(out _, Configured(null, null));
        Assert.False(imported.Padded);
        Assert.Contains(imported.Notes, note => note.Contains("what images are resized to", StringComparison.Ordinal));
        Assert.Contains(imported.Notes, note => note.Contains("whether the networks pad", StringComparison.Ordinal));
        imported = Import(out _, "anomalib_2.ckpt");
        Assert.DoesNotContain(
            imported.Notes, note => note.Contains("whether the networks pad", StringComparison.Ordinal));
    }

    [Fact]
    public void ModelOfOurs_IsNotStrippedOfItsCalibration()
    {
        Import(out string model, "anomalib_2.ckpt");
        var error = Assert.Throws<ModelFormatException>(() => Import(out _, model));
        Assert.Contains($"{model} is a model of efficientad already: use it as it is", error.Message);
        Import(out string networks, "teacher_small.pth", "student_final.pth", "autoencoder_final.pth");
        error = Assert.Throws<ModelFormatException>(() => Import(out _, networks));
        Assert.Contains($"was imported already. Complete it: efficientad calibrate --model {networks}", error.Message);
        Import(out string teacher, "teacher_small.pth");
        Assert.Equal(ImportedKind.Teacher, Import(out _, teacher).Kind);
    }

    [Theory]
    [InlineData("-3e38", "3e38")]   // infinitely far apart
    [InlineData("0", "1e-45")]      // a quarter of it is 0
    [InlineData("1", "1")]
    public void RangeOfScoresThatGivesNoScale_IsMissing(string low, string high)
    {
        string model = Write("version1.onnx", OnnxWithoutThreshold());
        string json = $$"""{"image_threshold": 0.5, "pred_scores.min": {{low}}, "pred_scores.max": {{high}}}""";
        string metadata = Write("metadata.json", Encoding.UTF8.GetBytes(json));
        Assert.Equal(["threshold"], Import(out _, model, metadata).Missing);
    }

    [Fact]
    public void MetadataWithoutUnicode_AreRefused()
    {
        string metadata = Write("metadata.json", """{"\ud800": 1}"""u8.ToArray());
        var error = Assert.Throws<ModelFormatException>(() => Import(out _, metadata));
        Assert.Contains($"{metadata} is no JSON metadata", error.Message, StringComparison.Ordinal);
    }

    /// <summary>The checkpoint with a configuration of anomalib 0 in place of its hyper-parameters.</summary>
    private string Configured(PickleBytes? padding, PickleBytes? imageSize) => published.Checkpoint("0.ckpt", pickle =>
    {
        Rename(pickle, "hyper_parameters", "other_parameters");
        byte[] added = new PickleBytes().Text("hyper_parameters")
            .Append(PickleBytes.Configuration(padding, imageSize)).Letters("s").End();
        return [.. pickle[..^1], .. added[2..]];
    });

    /// <summary>Without its own post-processing an ONNX model has no threshold: here it is cut off by another
    /// name.</summary>
    private byte[] OnnxWithoutThreshold()
    {
        byte[] onnx = File.ReadAllBytes(published.CompleteOnnx());
        Rename(onnx, "post_processor._image_threshold", "post_processor._image_nothresh_");
        Rename(onnx, "post_processor._pixel_threshold", "post_processor._pixel_nothresh_");
        return onnx;
    }

    private ImportedModel Import(out string path, params string[] files)
    {
        path = Path.Combine(published.Root, $"{Guid.NewGuid():N}.safetensors");
        using var importer = new ModelImporter(
            [.. files.Select(file => file == "anomalib_2.onnx" ? published.CompleteOnnx() : published[file])]);
        return importer.Save(path);
    }

    private string Write(string name, byte[] bytes)
    {
        string path = Path.Combine(published.Root, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    /// <summary>Replaces every occurrence by a text of the same length.</summary>
    private static void Rename(byte[] bytes, string from, string to)
    {
        byte[] old = Encoding.UTF8.GetBytes(from), renamed = Encoding.UTF8.GetBytes(to);
        for (int at = bytes.AsSpan().IndexOf(old); at >= 0; at = bytes.AsSpan().IndexOf(old)) renamed.CopyTo(bytes, at);
    }
}
