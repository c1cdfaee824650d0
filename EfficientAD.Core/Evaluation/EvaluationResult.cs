using EfficientAD.Detection;
using EfficientAD.Metrics;

namespace EfficientAD.Evaluation;

/// <summary>The metrics of a set of images, as fractions; null where the set does not define one.</summary>
/// <param name="GoodCount">Good images, without the invalid ones.</param>
/// <param name="AnomalousCount">Anomalous images, without the invalid ones.</param>
/// <param name="ImageAuroc">Null without both kinds of image.</param>
/// <param name="F1">Null without both kinds of image.</param>
/// <param name="PixelAuroc">Null without masks; so are the next ones.</param>
/// <param name="AuPro30">AU-PRO to a false-positive rate of 0.3.</param>
/// <param name="AuPro05">AU-PRO to a false-positive rate of 0.05.</param>
/// <param name="AuSpro05">AU-sPRO to a false-positive rate of 0.05; MVTec LOCO AD only.</param>
public sealed record MetricSet(
    int GoodCount,
    int AnomalousCount,
    double? ImageAuroc,
    F1Maximum? F1,
    double? PixelAuroc,
    double? AuPro30,
    double? AuPro05,
    double? AuSpro05);

/// <summary>The evaluation of a model on one category.</summary>
/// <param name="Category">The category's name.</param>
/// <param name="IsLoco">The category is one of MVTec LOCO AD.</param>
/// <param name="Images">Every image in the order of the test, invalid ones too.</param>
/// <param name="Overall">Over all images that are not invalid.</param>
/// <param name="PerDefect">Each kind of defect against all good images, in ordinal order of the names.</param>
/// <param name="Roc">Of the images; null without both kinds.</param>
/// <param name="RegionOverlap">Points of the PRO curve to a false-positive rate of 0.3; empty without masks.</param>
/// <param name="Warnings">What a reader of the figures has to know.</param>
public sealed record EvaluationResult(
    string Category,
    bool IsLoco,
    IReadOnlyList<ImageEvaluation> Images,
    MetricSet Overall,
    IReadOnlyDictionary<string, MetricSet> PerDefect,
    RocCurve? Roc,
    IReadOnlyList<OverlapPoint> RegionOverlap,
    IReadOnlyList<string> Warnings)
{
    /// <summary>What the local map alone achieves; null where the maps were not told apart.</summary>
    public EvaluationResult? Local { get; init; }

    /// <summary>What the global map alone achieves; null where the maps were not told apart.</summary>
    public EvaluationResult? Global { get; init; }

    /// <summary>As <see cref="PerDefect"/>, for groups of kinds that the caller named.</summary>
    public IReadOnlyDictionary<string, MetricSet> PerGroup { get; init; } = new Dictionary<string, MetricSet>();

    /// <summary>The test folders of MVTec LOCO AD.</summary>
    public const string Logical = "logical_anomalies", Structural = "structural_anomalies";

    public int FalsePositives => Images.Count(image => image.IsFalsePositive);

    public int FalseNegatives => Images.Count(image => image.IsFalseNegative);

    public int TruePositives => Images.Count(image => !image.IsGood && image.Verdict == Verdict.Anomalous);

    public int TrueNegatives => Images.Count(image => image.IsGood && image.Verdict == Verdict.Good);

    public int InvalidCount => Images.Count(image => image.Verdict == Verdict.Invalid);

    /// <summary>The mean over logical and structural anomalies, as papers state it for MVTec LOCO AD; null if either is
    /// missing.</summary>
    public double? LocoMean(Func<MetricSet, double?> metric) =>
        PerDefect.GetValueOrDefault(Logical) is { } logical && PerDefect.GetValueOrDefault(Structural) is { } structural
            ? (metric(logical) + metric(structural)) / 2
            : null;
}
