using System.Text.Json;

namespace EfficientAD.Evaluation;

/// <summary>metrics.json: the figures of an evaluation, for programs. Fractions; null where there is none.</summary>
public static class MetricsJson
{
    public static void Write(Stream stream, EvaluationResult result)
    {
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteString("category", result.Category);
        WriteMetrics(json, result, of => of?.Overall);
        if (result.IsLoco) WriteLoco(json, result);

        json.WriteStartObject("counts");
        json.WriteNumber("images", result.Images.Count);
        json.WriteNumber("good", result.Overall.GoodCount);
        json.WriteNumber("anomalous", result.Overall.AnomalousCount);
        json.WriteNumber("invalid", result.InvalidCount);
        json.WriteNumber("true_positives", result.TruePositives);
        json.WriteNumber("false_positives", result.FalsePositives);
        json.WriteNumber("true_negatives", result.TrueNegatives);
        json.WriteNumber("false_negatives", result.FalseNegatives);
        json.WriteEndObject();

        WriteSets(json, "per_defect", result, of => of.PerDefect);
        if (result.PerGroup.Count > 0) WriteSets(json, "per_group", result, of => of.PerGroup);

        json.WriteStartArray("warnings");
        foreach (string warning in result.Warnings) json.WriteStringValue(warning);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteSets(
        Utf8JsonWriter json, string name, EvaluationResult result,
        Func<EvaluationResult, IReadOnlyDictionary<string, MetricSet>> sets)
    {
        json.WriteStartObject(name);
        foreach ((string set, MetricSet metrics) in sets(result))
        {
            json.WriteStartObject(set);
            json.WriteNumber("images", metrics.AnomalousCount);
            WriteMetrics(json, result, of => of is null ? null : sets(of)[set]);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    /// <summary>The metrics of a set of images, then those of each map alone.</summary>
    private static void WriteMetrics(
        Utf8JsonWriter json, EvaluationResult result, Func<EvaluationResult?, MetricSet?> set)
    {
        WriteMetrics(json, set(result)!);
        WriteAlone("local_map", set(result.Local));
        WriteAlone("global_map", set(result.Global));

        void WriteAlone(string name, MetricSet? metrics)
        {
            if (metrics is null) return;
            json.WriteStartObject(name);
            WriteMetrics(json, metrics);
            json.WriteEndObject();
        }
    }

    private static void WriteMetrics(Utf8JsonWriter json, MetricSet metrics)
    {
        Write(json, "image_auroc", metrics.ImageAuroc);
        Write(json, "pixel_auroc", metrics.PixelAuroc);
        Write(json, "au_pro_0.3", metrics.AuPro30);
        Write(json, "au_pro_0.05", metrics.AuPro05);
        Write(json, "f1_max", metrics.F1?.Value);
        Write(json, "f1_max_threshold", metrics.F1?.Threshold);
    }

    private static void WriteLoco(Utf8JsonWriter json, EvaluationResult result)
    {
        MetricSet? logical = result.PerDefect.GetValueOrDefault(EvaluationResult.Logical);
        MetricSet? structural = result.PerDefect.GetValueOrDefault(EvaluationResult.Structural);
        Write(json, "image_auroc_logical", logical?.ImageAuroc);
        Write(json, "image_auroc_structural", structural?.ImageAuroc);
        Write(json, "image_auroc_mean", result.LocoMean(metrics => metrics.ImageAuroc));
        Write(json, "au_spro_0.05_logical", logical?.AuSpro05);
        Write(json, "au_spro_0.05_structural", structural?.AuSpro05);
        Write(json, "au_spro_0.05_mean", result.LocoMean(metrics => metrics.AuSpro05));
    }

    private static void Write(Utf8JsonWriter json, string name, double? value)
    {
        if (value is null) json.WriteNull(name);
        else json.WriteNumber(name, value.Value);
    }
}
