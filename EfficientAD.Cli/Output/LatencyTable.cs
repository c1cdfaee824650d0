using System.Globalization;
using System.Text.Json;
using EfficientAD.Inspection;

namespace EfficientAD.Cli.Output;

/// <summary>Where a camera's frames spent their time.</summary>
internal static class LatencyTable
{
    private static readonly (string Name, string Key, double Share)[] Quantiles =
        [("p50", "p50_ms", 0.5), ("p99", "p99_ms", 0.99), ("p99.9", "p999_ms", 0.999)];

    public static void WriteText(CommandOutput output, CameraStatistics statistics)
    {
        output.WriteLine(
            $"  {"ms",-10}" + string.Concat(Quantiles.Select(q => $"{q.Name,10}")) + $"{"max",10}{"mean",10}");
        foreach ((string name, LatencyHistogram histogram) in Rows(statistics))
        {
            IEnumerable<TimeSpan> values =
                [.. Quantiles.Select(q => histogram.Quantile(q.Share)), histogram.Maximum, histogram.Mean];
            output.WriteLine($"  {name,-10}" + string.Concat(values.Select(value =>
                value.TotalMilliseconds.ToString("0.000", CultureInfo.InvariantCulture).PadLeft(10))));
        }
    }

    /// <summary>An object for each row.</summary>
    public static void WriteJson(Utf8JsonWriter json, CameraStatistics statistics)
    {
        foreach ((string name, LatencyHistogram histogram) in Rows(statistics))
        {
            json.WriteStartObject(name);
            foreach ((_, string key, double share) in Quantiles)
                json.WriteNumber(key, histogram.Quantile(share).TotalMilliseconds);
            json.WriteNumber("max_ms", histogram.Maximum.TotalMilliseconds);
            json.WriteNumber("mean_ms", histogram.Mean.TotalMilliseconds);
            json.WriteEndObject();
        }
    }

    private static IEnumerable<(string Name, LatencyHistogram Histogram)> Rows(CameraStatistics statistics) =>
    [
        ("total", statistics.Total), ("wait", statistics.Wait), ("preprocess", statistics.Preprocess),
        ("compute", statistics.Compute), ("download", statistics.Download),
    ];
}
