using System.Text;
using System.Text.Json;
using EfficientAD.Data;
using EfficientAD.Detection;
using EfficientAD.Evaluation;
using EfficientAD.Imaging;

namespace EfficientAD.Tests.Evaluation;

public sealed class EvaluatorTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("efficientad-").FullName;
    private readonly Dictionary<string, GreyImage> _masks = [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Metrics_AreOverallAndPerDefect()
    {
        using Evaluator evaluator = Create();
        Add(evaluator, "good", "000", [0, 0, 0, 0.1f]);
        Add(evaluator, "good", "001", [0, 0, 0, 0.5f]);
        Add(evaluator, "scratch", "000", [0.9f, 0, 0, 0], [255, 0, 0, 0]);   // found
        Add(evaluator, "stain", "000", [0, 0, 0.3f, 0], [0, 0, 255, 255]);   // half found, under one good image
        EvaluationResult result = evaluator.Complete();

        Assert.Equal((2, 2), (result.Overall.GoodCount, result.Overall.AnomalousCount));
        Assert.Equal(0.75, result.Overall.ImageAuroc);
        Assert.Equal(["scratch", "stain"], result.PerDefect.Keys);
        Assert.Equal(1, result.PerDefect["scratch"].ImageAuroc);
        Assert.Equal(0.5, result.PerDefect["stain"].ImageAuroc);
        // Scratch: 1 marked pixel above all 11 others. Stain: 0.3 beats 9 of 10; 0 ties with 8 of 10 and loses to 2.
        Assert.Equal(1, result.PerDefect["scratch"].PixelAuroc);
        Assert.Equal((9 + 8 / 2.0) / 20, result.PerDefect["stain"].PixelAuroc!.Value, 1e-15);
        Assert.Equal(1, result.PerDefect["scratch"].AuPro30);
        Assert.Equal((1, 1), (result.TruePositives, result.FalsePositives));
        Assert.Equal((1, 1), (result.TrueNegatives, result.FalseNegatives));
        Assert.Empty(result.Warnings);
    }

    [Fact]
    public void PerDefect_UsesNoOtherDefectsPixels()
    {
        using Evaluator alone = Create(), together = Create();
        foreach (Evaluator evaluator in new[] { alone, together })
        {
            Add(evaluator, "good", "000", [0, 0.2f, 0, 0.1f]);
            Add(evaluator, "stain", "000", [0.05f, 0, 0.3f, 0.15f], [0, 0, 255, 255]);
        }
        Add(together, "scratch", "000", [0.9f, 0.8f, 0.7f, 0.6f], [255, 0, 0, 0]);

        Assert.Equal(alone.Complete().PerDefect["stain"], together.Complete().PerDefect["stain"]);
    }

    [Fact]
    public void InvalidImage_IsListed_AndCountsInNoMetric()
    {
        using Evaluator evaluator = Create();
        Add(evaluator, "good", "000", [0, 0, 0, 0.1f]);
        Add(evaluator, "scratch", "000", [0.9f, 0, 0, 0], [255, 0, 0, 0]);
        evaluator.Add(Sample("scratch", "001"), DetectionResult.Invalid("The file is cut."));
        EvaluationResult result = evaluator.Complete();

        Assert.Equal(3, result.Images.Count);
        Assert.Equal((1, 1, 1), (result.InvalidCount, result.Overall.GoodCount, result.Overall.AnomalousCount));
        Assert.Equal(1, result.Overall.PixelAuroc);
        string warning = Assert.Single(result.Warnings);
        Assert.Contains("1 of 3 images", warning, StringComparison.Ordinal);
        Assert.Contains("test/scratch/001.png: The file is cut.", warning, StringComparison.Ordinal);
        Assert.Equal("test/scratch/001.png,scratch,NaN,invalid", Csv(result)[3]);
    }

    [Fact]
    public void MaskThatCannotBeUsed_LeavesTheImageOutOfThePixelMetrics()
    {
        using Evaluator evaluator = Create();
        Add(evaluator, "good", "000", [0, 0, 0, 0.1f]);
        Add(evaluator, "scratch", "000", [0.9f, 0, 0, 0], [255, 0, 0, 0]);
        double? expected = evaluator.Complete().Overall.AuPro30;
        Add(evaluator, "scratch", "001", [0, 0, 0, 1], [255, 255]);  // 2 x 1
        evaluator.Add(Sample("scratch", "002", "cut.png"), Result([0, 0, 0, 1]));
        Add(evaluator, "scratch", "003", [0, 0, 0, 1]);              // no mask at all
        EvaluationResult result = evaluator.Complete();

        Assert.Equal(4, result.Overall.AnomalousCount);
        Assert.Equal(expected, result.Overall.AuPro30);
        Assert.Equal(3, result.Warnings.Count);
        Assert.Contains("scratch/001.png", result.Warnings[0], StringComparison.Ordinal);
        Assert.Contains("2 x 1 but the image 2 x 2", result.Warnings[0], StringComparison.Ordinal);
        Assert.Contains("cut.png is cut", result.Warnings[1], StringComparison.Ordinal);
        Assert.Contains("3 anomalous images have no usable mask", result.Warnings[2], StringComparison.Ordinal);
    }

    [Fact]
    public void WithoutMasks_OrWithoutMaps_ThereAreNoPixelMetrics()
    {
        using Evaluator masks = Create(), maps = Create();
        Add(masks, "good", "000", [0, 0, 0, 0.1f]);
        Add(masks, "scratch", "000", [0.9f, 0, 0, 0]);
        maps.Add(Sample("good", "000"), new DetectionResult(Verdict.Good, 0, 0, null, null));
        maps.Add(Sample("scratch", "000"), new DetectionResult(Verdict.Anomalous, 1, 1, null, null));

        foreach (EvaluationResult result in new[] { masks.Complete(), maps.Complete() })
        {
            Assert.Equal(1, result.Overall.ImageAuroc);
            MetricSet all = result.Overall;
            Assert.Null(all.PixelAuroc ?? all.AuPro30 ?? all.AuPro05 ?? all.AuSpro05);
            Assert.Empty(result.RegionOverlap);
            Assert.Empty(result.Warnings);
        }
    }

    [Fact]
    public void NothingAdded_OrGoodImagesAlone_GiveNoFigures()
    {
        using Evaluator evaluator = Create();
        Assert.Equal(new(0, 0, null, null, null, null, null, null), evaluator.Complete().Overall);

        Add(evaluator, "good", "000", [0, 0, 0, 0.1f]);
        Assert.Equal(new(1, 0, null, null, null, null, null, null), evaluator.Complete().Overall);
    }

    [Fact]
    public void NonFiniteResultThatIsNotInvalid_IsAnError()
    {
        using Evaluator evaluator = Create();

        Assert.Throws<ArgumentException>(() => Add(evaluator, "good", "000", [0, float.NaN, 0, 0]));
        Assert.Throws<ArgumentException>(() => evaluator.Add(
            Sample("good", "000"), new DetectionResult(Verdict.Good, float.NaN, 0, null, null)));
        Assert.Empty(evaluator.Complete().Images);
    }

    [Fact]
    public void Loco_CountsSaturatedRegions_AndAveragesLogicalAndStructural()
    {
        File.WriteAllText(Path.Combine(_folder, "defects_config.json"), """
            [
              { "defect_name": "missing", "pixel_value": 255, "saturation_threshold": 1, "relative_saturation": false },
              { "defect_name": "bent", "pixel_value": 254, "saturation_threshold": 1.0, "relative_saturation": true }
            ]
            """);
        using Evaluator evaluator = Create(DatasetLayout.MvtecLoco);
        Add(evaluator, "good", "000", [0, 0, 0, 0.1f]);
        Add(evaluator, "logical_anomalies", "000", [0.9f, 0, 0, 0], [255, 255, 0, 0]);     // one pixel saturates
        Add(evaluator, "structural_anomalies", "000", [0.9f, 0, 0, 0], [254, 254, 0, 0]);  // half
        EvaluationResult result = evaluator.Complete();

        Assert.Equal(1, result.PerDefect["logical_anomalies"].AuSpro05);
        Assert.Equal(0.5, result.PerDefect["logical_anomalies"].AuPro05!.Value, 0.05);
        double structural = result.PerDefect["structural_anomalies"].AuSpro05!.Value;
        Assert.InRange(structural, 0.45, 0.55);
        Assert.Equal((1 + structural) / 2, result.LocoMean(metrics => metrics.AuSpro05)!.Value, 1e-15);
        Assert.Equal(structural, Json(result).GetProperty("au_spro_0.05_structural").GetDouble());
    }

    [Fact]
    public void Loco_WithoutItsConfiguration_SaysSo()
    {
        using Evaluator evaluator = Create(DatasetLayout.MvtecLoco);
        Add(evaluator, "good", "000", [0, 0, 0, 0.1f]);
        Add(evaluator, "logical_anomalies", "000", [0.9f, 0, 0, 0], [255, 0, 0, 0]);
        EvaluationResult result = evaluator.Complete();

        Assert.Null(result.Overall.AuSpro05);
        Assert.Null(result.LocoMean(metrics => metrics.ImageAuroc));  // no structural anomalies
        Assert.Contains("defects_config.json", Assert.Single(result.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void MapsAndMasks_ComeBackAsTheyWere_AndLeaveNothingBehind()
    {
        float[] map = [0.9f, -0f, 1e-30f, 3];
        using (Evaluator evaluator = Create())
        {
            Add(evaluator, "good", "000", [1, 2, 3, 4]);
            ImageEvaluation image = Add(evaluator, "scratch", "000", map, [255, 0, 7, 0], [0, 9, 0, 0]);
            Add(evaluator, "good", "001", [5, 6, 7, 8]);

            Assert.Equal(map, evaluator.Read(image)!.Map.Values);
            Assert.Equal([255, 0, 7, 0], evaluator.Read(image)!.Masks[0].Pixels);
            Assert.Equal([0, 9, 0, 0], evaluator.Read(image)!.Masks[1].Pixels);
        }
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Fact]
    public void MetricsJson_HasTheKeysThatProgramsRead()
    {
        using Evaluator evaluator = Create();
        Add(evaluator, "good", "000", [0, 0, 0, 0.1f]);
        Add(evaluator, "scratch \"deep\"", "000", [0.9f, 0, 0, 0]);
        JsonElement json = Json(evaluator.Complete());

        Assert.Equal(1, json.GetProperty("image_auroc").GetDouble());
        Assert.Equal(1, json.GetProperty("f1_max").GetDouble());
        foreach (string key in new[] { "pixel_auroc", "au_pro_0.3", "au_pro_0.05" })
            Assert.Equal(JsonValueKind.Null, json.GetProperty(key).ValueKind);
        Assert.False(json.TryGetProperty("au_spro_0.05_mean", out _));
        Assert.Equal(1, json.GetProperty("counts").GetProperty("true_positives").GetInt32());
        JsonElement defect = json.GetProperty("per_defect").GetProperty("scratch \"deep\"");
        Assert.Equal(1, defect.GetProperty("images").GetInt32());
    }

    [Fact]
    public void Branches_HaveMetricsOfTheirOwn_AndGroupsToo()
    {
        using var evaluator = new Evaluator(
            new AnomalyDataset("part", _folder, DatasetLayout.MvtecAd, [], [], []), path => _masks[path], _folder)
        {
            Groups = new Dictionary<string, string> { ["swapped"] = "logical", ["missing"] = "logical" },
        };
        AddBranches("good", local: 0.2f, global: 0.1f);
        AddBranches("swapped", local: 0.1f, global: 0.5f);
        AddBranches("missing", local: 0.3f, global: 0.5f);
        AddBranches("scratch", local: 0.9f, global: 0);
        EvaluationResult result = evaluator.Complete();

        Assert.Equal((2 / 3.0, 2 / 3.0), (result.Local!.Overall.ImageAuroc, result.Global!.Overall.ImageAuroc));
        Assert.Equal(0, result.Local.PerDefect["swapped"].ImageAuroc);
        Assert.Equal(
            (0.5, 1.0), (result.Local.PerGroup["logical"].ImageAuroc, result.Global.PerGroup["logical"].ImageAuroc));
        Assert.Equal(["logical"], result.PerGroup.Keys);
        JsonElement json = Json(result);
        Assert.Equal(0.5, Auroc(json.GetProperty("per_group").GetProperty("logical").GetProperty("local_map")));
        Assert.Equal(0, Auroc(json.GetProperty("per_defect").GetProperty("scratch").GetProperty("global_map")));
        Assert.Equal(2 / 3.0, Auroc(json.GetProperty("global_map")), 1e-12);

        static double Auroc(JsonElement map) => map.GetProperty("image_auroc").GetDouble();

        void AddBranches(string defect, float local, float global) => evaluator.AddBranches(
            Sample(defect, "000"),
            new BranchResults(Result([local + global, 0, 0, 0]), Result([local, 0, 0, 0]), Result([global, 0, 0, 0])));
    }

    [Fact]
    public void ScoresCsv_QuotesFields_AndRoundTripsScores()
    {
        using Evaluator evaluator = Create();
        Add(evaluator, "good", "000", [0, 0, 0, 0.1f]);
        Add(evaluator, "a,\"b\"", "000", [float.BitIncrement(1), 0, 0, 0]);
        string[] lines = Csv(evaluator.Complete());

        Assert.Equal("path,label,score,verdict", lines[0]);
        Assert.Equal("test/good/000.png,good,0.1,good", lines[1]);
        Assert.Equal("\"test/a,\"\"b\"\"/000.png\",\"a,\"\"b\"\"\",1.0000001,anomalous", lines[2]);
    }

    private Evaluator Create(DatasetLayout layout = DatasetLayout.MvtecAd) => new(
        new AnomalyDataset("part", _folder, layout, [], [], []),
        path => _masks.TryGetValue(path, out GreyImage? mask)
            ? mask
            : throw new ImageFormatException($"{path} is cut."),
        _folder);

    /// <summary>Adds a 2 x 2 image whose score is its map's maximum, with a threshold of 0.4.</summary>
    private ImageEvaluation Add(Evaluator evaluator, string defect, string name, float[] map, params byte[][] masks)
    {
        string[] paths = [.. masks.Select((_, i) => $"{defect}/{name}/{i}")];
        for (int i = 0; i < masks.Length; i++)
        {
            bool fits = masks[i].Length == 4;
            _masks[paths[i]] = fits ? new GreyImage(2, 2, masks[i]) : new GreyImage(masks[i].Length, 1, masks[i]);
        }
        return evaluator.Add(Sample(defect, name, paths), Result(map));
    }

    private TestSample Sample(string defect, string name, params string[] masks) =>
        new(Path.Combine(_folder, "test", defect, name + ".png"), defect, masks);

    private static DetectionResult Result(float[] map)
    {
        float score = map.Max();
        Verdict verdict = score > 0.4f ? Verdict.Anomalous : Verdict.Good;
        return new(verdict, score, score / (score + 0.4f), new AnomalyMap(2, 2, map), null);
    }

    private static string[] Csv(EvaluationResult result)
    {
        using var stream = new MemoryStream();
        ScoresCsv.Write(stream, result);
        return Encoding.UTF8.GetString(stream.ToArray()).Split('\n');
    }

    private static JsonElement Json(EvaluationResult result)
    {
        using var stream = new MemoryStream();
        MetricsJson.Write(stream, result);
        return JsonDocument.Parse(stream.ToArray()).RootElement;
    }
}
