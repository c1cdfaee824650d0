using EfficientAD.Detection;

namespace EfficientAD.Evaluation;

/// <summary>The outcome for one image of a test set.</summary>
/// <param name="Path">The image file.</param>
/// <param name="Name">The path within the data set, with forward slashes.</param>
/// <param name="Defect">"good", or the defect's name.</param>
/// <param name="IsGood">The truth.</param>
/// <param name="Verdict">What the detector says.</param>
/// <param name="Score">NaN when invalid.</param>
/// <param name="CalibratedScore">NaN when invalid.</param>
/// <param name="Reason">Why the verdict is <see cref="Verdict.Invalid"/>; else null.</param>
public sealed record ImageEvaluation(
    string Path,
    string Name,
    string Defect,
    bool IsGood,
    Verdict Verdict,
    float Score,
    float CalibratedScore,
    string? Reason)
{
    /// <summary>Good but called anomalous.</summary>
    public bool IsFalsePositive => IsGood && Verdict == Verdict.Anomalous;

    /// <summary>Anomalous but called good.</summary>
    public bool IsFalseNegative => !IsGood && Verdict == Verdict.Good;

    /// <summary>Where the map lies, or null if there is none.</summary>
    internal StoredMap? Map { get; init; }

    /// <summary>There is a map, and the truth of every pixel: the image is good, or its masks could be read.</summary>
    internal bool HasPixelTruth { get; init; }
}
