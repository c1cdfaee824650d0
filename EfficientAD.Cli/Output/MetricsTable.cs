using System.Globalization;
using EfficientAD.Evaluation;
using Spectre.Console;

namespace EfficientAD.Cli.Output;

/// <summary>The figures of an evaluation in percent, for people.</summary>
internal static class MetricsTable
{
    public static void Write(CommandOutput output, EvaluationResult result)
    {
        var table = new Table().Border(TableBorder.Horizontal).AddColumn(new TableColumn("Percent").NoWrap());
        string[] heads = ["Images", "AUROC", "F1 max", "Pixel AUROC", "AU-PRO 0.3", "AU-PRO 0.05"];
        foreach (string head in result.IsLoco ? [.. heads, "AU-sPRO 0.05"] : heads)
            table.AddColumn(new TableColumn(head).RightAligned());
        MetricSet all = result.Overall;
        foreach ((string defect, MetricSet set) in result.PerDefect) AddRow(defect, set.AnomalousCount, set);
        AddRow("all", all.GoodCount + all.AnomalousCount, all);
        output.Console.Write(table);

        if (result is { Local: { } local, Global: { } global }) WriteBranches(output, local, global, result);
        if (result.IsLoco)
        {
            output.WriteLine(
                "Mean of logical and structural: " +
                $"image AUROC {Percent(result.LocoMean(metrics => metrics.ImageAuroc))}, " +
                $"AU-sPRO 0.05 {Percent(result.LocoMean(metrics => metrics.AuSpro05))}");
        }

        output.WriteLine(
            $"At the threshold: {result.TrueNegatives} of {all.GoodCount} good images pass, " +
            $"{result.TruePositives} of {all.AnomalousCount} anomalous found, {result.InvalidCount} invalid.");

        void AddRow(string name, int images, MetricSet metrics)
        {
            string[] values =
            [
                images.ToString(CultureInfo.InvariantCulture),
                Percent(metrics.ImageAuroc), Percent(metrics.F1?.Value), Percent(metrics.PixelAuroc),
                Percent(metrics.AuPro30), Percent(metrics.AuPro05),
            ];
            if (result.IsLoco) values = [.. values, Percent(metrics.AuSpro05)];
            table.AddRow([new Text(PrintableText.Of(name)), .. values.Select(value => new Text(value))]);
        }
    }

    /// <summary>What each map achieves alone.</summary>
    private static void WriteBranches(
        CommandOutput output, EvaluationResult local, EvaluationResult global, EvaluationResult both)
    {
        Table table = new Table().Border(TableBorder.Horizontal).AddColumn(new TableColumn("Map").NoWrap());
        foreach (string head in new[] { "AUROC local", "global", "both", "AU-PRO local", "global", "both" })
            table.AddColumn(new TableColumn(head).RightAligned());
        foreach (string defect in both.PerDefect.Keys) AddRow(defect, result => result.PerDefect[defect]);
        foreach (string group in both.PerGroup.Keys) AddRow(group, result => result.PerGroup[group]);
        AddRow("all", result => result.Overall);
        output.Console.Write(table);

        void AddRow(string name, Func<EvaluationResult, MetricSet> set)
        {
            EvaluationResult[] results = [local, global, both];
            IEnumerable<string> values =
            [
                .. results.Select(of => Percent(set(of).ImageAuroc)),
                .. results.Select(of => Percent(set(of).AuPro30)),
            ];
            table.AddRow([new Text(PrintableText.Of(name)), .. values.Select(value => new Text(value))]);
        }
    }

    private static string Percent(double? fraction) =>
        fraction is { } value ? (100 * value).ToString("0.0", CultureInfo.InvariantCulture) : "-";
}
