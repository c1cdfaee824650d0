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
        WriteMetrics(json, result.Overall);
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

        json.WriteStartObject("per_defect");
        foreach ((string defect, MetricSet metrics) in result.PerDefect)
        {
            json.WriteStartObject(defect);
            json.WriteNumber("images", metrics.AnomalousCount);
            WriteMetrics(json, metrics);
            json.WriteEndObject();
        }
        json.WriteEndObject();

        json.WriteStartArray("warnings");
        foreach (string warning in result.Warnings) json.WriteStringValue(warning);
        json.WriteEndArray();
        json.WriteEndObject();
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
