using System.Globalization;
using EfficientAD.Evaluation;

namespace EfficientAD.Benchmarks.Accuracy;

/// <summary>What a reader compares runs by, as fractions; NaN where the data set has no masks.</summary>
internal readonly record struct Figures(
    double ImageAuroc, double LocalAuroc, double GlobalAuroc, double AuPro, double Steps)
{
    /// <summary>Heads of the table's columns.</summary>
    public const string Heads = "image AUROC | of the local map | of the global map | AU-PRO 0.3 | steps";

    public static Figures Of(EvaluationResult result, int steps) => new(
        Value(result.Overall.ImageAuroc), Value(result.Local?.Overall.ImageAuroc),
        Value(result.Global?.Overall.ImageAuroc),
        Value(result.Overall.AuPro30), steps);

    /// <summary>Cells of a row: percent, mean and standard deviation over the seeds.</summary>
    public static string Row(IReadOnlyList<Figures> runs) => string.Join(
        " | ",
        Percent(runs, run => run.ImageAuroc), Percent(runs, run => run.LocalAuroc),
        Percent(runs, run => run.GlobalAuroc),
        Percent(runs, run => run.AuPro), runs.Average(run => run.Steps).ToString("0", CultureInfo.InvariantCulture));

    private static double Value(double? value) => value ?? double.NaN;

    private static string Percent(IReadOnlyList<Figures> runs, Func<Figures, double> of)
    {
        double mean = runs.Average(of);
        if (double.IsNaN(mean)) return "-";
        string text = (100 * mean).ToString("0.0", CultureInfo.InvariantCulture);
        if (runs.Count == 1) return text;
        double variance = runs.Sum(run => (of(run) - mean) * (of(run) - mean)) / (runs.Count - 1);
        return $"{text} ± {(100 * Math.Sqrt(variance)).ToString("0.0", CultureInfo.InvariantCulture)}";
    }
}
