using System.Globalization;
using System.Text.Json;
using EfficientAD.Cli.Runs;
using PtxSimulator.Reports;

namespace EfficientAD.Cli.Output;

/// <summary>What fusions save.</summary>
internal static class AblationTable
{
    private static readonly string[] Heads =
        ["plan", "launches", "driver calls", "MB moved", "MB least", "G mma", "us predicted", "slower by"];

    public static void Write(CommandOutput output, string title, IReadOnlyList<AblationRow> rows, Card card)
    {
        output.WriteLine($"{title}, on a simulated {card.Name}, each line without one fusion.");
        output.WriteLine(
            "Counted by a simulator on the CPU; no GPU took part. Times are predicted: for each launch the longest " +
            $"of what it needs of the card's datasheet rates, and {PredictedTime.LaunchMicroseconds:0} us to start " +
            "it.");
        output.WriteLine();
        string[][] cells = [Heads, .. rows.Select(row => Cells(row, rows[0]))];
        int[] widths = [.. Heads.Select((_, column) => cells.Max(line => line[column].Length))];
        foreach (string[] line in cells)
        {
            output.WriteLine(string.Join("  ", line.Select((cell, column) =>
                column == 0 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]))));
        }
    }

    public static void WriteJson(Utf8JsonWriter json, string title, IReadOnlyList<AblationRow> rows, Card card)
    {
        json.WriteString("run", title);
        json.WriteBoolean("simulated", true);
        json.WriteString("card", card.Name);
        json.WriteStartArray("plans");
        foreach (AblationRow row in rows)
        {
            json.WriteStartObject();
            json.WriteString("without", row.Variant.Key);
            json.WriteNumber("launches", row.Counted.Launches.Count);
            json.WriteNumber("driver_calls", row.DriverCalls);
            json.WriteNumber("moved_bytes", row.Counted.MovedBytes);
            json.WriteNumber("compulsory_bytes", row.Counted.CompulsoryBytes);
            json.WriteNumber("mma_multiply_adds", row.Counted.MmaMultiplyAdds);
            json.WriteNumber("predicted_microseconds", row.PredictedMicroseconds);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static string[] Cells(AblationRow row, AblationRow fused) =>
    [
        row.Variant.Name, Number(row.Counted.Launches.Count, "0"), Number(row.DriverCalls, "0"),
        Number(row.Counted.MovedBytes / 1e6, "0.0"),
        Number(row.Counted.CompulsoryBytes / 1e6, "0.0"), Number(row.Counted.MmaMultiplyAdds / 1e9, "0.00"),
        Number(row.PredictedMicroseconds, "0"),
        row == fused ? "" : $"{Number(100 * (row.PredictedMicroseconds / fused.PredictedMicroseconds - 1), "0")} %",
    ];

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
