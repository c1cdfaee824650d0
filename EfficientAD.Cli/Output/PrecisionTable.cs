using System.Globalization;
using System.Text.Json;
using EfficientAD.Detection;

namespace EfficientAD.Cli.Output;

/// <summary>What detection in numbers of 8 bits does to good images, for people and for programs.</summary>
internal static class PrecisionTable
{
    public static void Write(CommandOutput output, IReadOnlyList<PrecisionReport> reports, Calibration calibration)
    {
        foreach (PrecisionReport report in reports)
        {
            (int images, float score, float map) = report.Parity;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"--precision {report.Precision}: over {images} good images scores move by up to {score:0.00000}, " +
                $"{score / calibration.Scale:0.00} of their standard deviation (allowed " +
                $"{PrecisionParity.MostScoreShift}), maps by up to {map:0.00000}, {map / calibration.Scale:0.00} of " +
                $"it (allowed {PrecisionParity.MostMapShift}). " +
                $"Detectors {(report.Fault is null ? "take" : "refuse")} it."));
        }

        if (reports.Count == 0) return;
        IEnumerable<string> heads = reports.Select(report => $"{report.Precision + " error",14}{"saturated",12}");
        output.WriteLine($"{"hidden map",-16}{string.Concat(heads)}");
        for (int i = 0; i < reports[0].Layers.Count; i++)
        {
            output.WriteLine($"{reports[0].Layers[i].Layer,-16}" + string.Concat(reports.Select(report => string.Create(
                CultureInfo.InvariantCulture,
                $"{report.Layers[i].RelativeError,14:0.00%}{report.Layers[i].Saturated,12:0.0000%}"))));
        }
    }

    public static void WriteJson(Utf8JsonWriter json, IReadOnlyList<PrecisionReport> reports, Calibration calibration)
    {
        json.WriteStartArray("precisions");
        foreach (PrecisionReport report in reports)
        {
            json.WriteStartObject();
            json.WriteString("precision", report.Precision);
            json.WriteNumber("images", report.Parity.Images);
            json.WriteNumber("score_shift", report.Parity.ScoreShift);
            json.WriteNumber("map_shift", report.Parity.MapShift);
            json.WriteNumber("score_scale", calibration.Scale);
            json.WriteString("refused", report.Fault);
            json.WriteStartArray("layers");
            foreach (LayerError layer in report.Layers)
            {
                json.WriteStartObject();
                json.WriteString("layer", layer.Layer);
                json.WriteNumber("relative_error", layer.RelativeError);
                json.WriteNumber("saturated", layer.Saturated);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
