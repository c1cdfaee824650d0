namespace EfficientAD.Detection;

/// <summary>How the map's maximum and the distance of the pooled features become one score: each less its mean over
/// good validation images, in their standard deviations, added (PUAD, section 3.3).</summary>
public readonly record struct PooledScaling(
    float ScoreMean, float ScoreDeviation, float DistanceMean, float DistanceDeviation)
{
    private const double SmallestRelativeDeviation = 1e-3;

    /// <param name="scores">Maxima of good validation images' maps.</param>
    /// <param name="distances">Of the same images.</param>
    public static PooledScaling FromGood(IReadOnlyList<float> scores, IReadOnlyList<double> distances)
    {
        (double scoreMean, double scoreDeviation) = Moments([.. scores.Select(score => (double)score)]);
        (double distanceMean, double distanceDeviation) = Moments([.. distances]);
        return new((float)scoreMean, (float)scoreDeviation, (float)distanceMean, (float)distanceDeviation);
    }

    /// <summary>Finite, with positive deviations.</summary>
    public bool IsValid =>
        float.IsFinite(ScoreMean) && float.IsFinite(DistanceMean)
        && float.IsFinite(ScoreDeviation) && float.IsFinite(DistanceDeviation)
        && ScoreDeviation > 0 && DistanceDeviation > 0;

    /// <summary>The score of an image.</summary>
    public float Combine(float score, double distance) =>
        (float)((score - ScoreMean) / ScoreDeviation + (distance - DistanceMean) / DistanceDeviation);

    private static (double Mean, double Deviation) Moments(double[] values)
    {
        double mean = values.Average();
        double deviation =
            Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / Math.Max(1, values.Length - 1));
        double smallest = SmallestRelativeDeviation * Math.Max(Math.Abs(mean), SmallestRelativeDeviation);
        return (mean, Math.Max(deviation, smallest));
    }
}
