namespace EfficientAD.Detection;

/// <summary>What the detector says of an image.</summary>
public enum Verdict
{
    /// <summary>The score is at most the threshold.</summary>
    Good,

    /// <summary>The score is above the threshold.</summary>
    Anomalous,

    /// <summary>No statement can be made: see <see cref="DetectionResult.Reason"/>. Treat the part as not
    /// inspected.</summary>
    Invalid,
}

/// <summary>The outcome for one image.</summary>
/// <param name="Verdict">Good, anomalous, or invalid with a reason.</param>
/// <param name="Score">Maximum of the combined map, and what the head on pooled features adds where the model has one;
/// no unit, higher is more anomalous. NaN when invalid.</param>
/// <param name="CalibratedScore">A monotone function of the score in [0, 1) that is 0.5 at the model's own threshold.
/// NaN when invalid.</param>
/// <param name="Map">The combined map at the image's own size; null when invalid or not asked for.</param>
/// <param name="Reason">Why the verdict is <see cref="Verdict.Invalid"/>; else null.</param>
public readonly record struct DetectionResult(
    Verdict Verdict, float Score, float CalibratedScore, AnomalyMap? Map, string? Reason)
{
    public static DetectionResult Invalid(string reason) => new(Verdict.Invalid, float.NaN, float.NaN, null, reason);
}
