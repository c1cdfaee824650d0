namespace EfficientAD.Metrics;

/// <summary>How many images are called anomalous when those that score at least the threshold are.</summary>
public readonly record struct RocPoint(float Threshold, int FalsePositives, int TruePositives);

/// <summary>The receiver operating characteristic of image scores: one point per distinct score, ties exact.</summary>
public sealed class RocCurve
{
    private RocCurve(int goodCount, int anomalousCount, RocPoint[] points) =>
        (GoodCount, AnomalousCount, Points, AreaUnderCurve) = (goodCount, anomalousCount, points, AreaUnder(points));

    public int GoodCount { get; }

    public int AnomalousCount { get; }

    /// <summary>By falling threshold, from (infinity, 0, 0) to (lowest score, all, all).</summary>
    public IReadOnlyList<RocPoint> Points { get; }

    /// <summary>The probability that an anomalous image scores above a good one, a tie counting one half.</summary>
    public double AreaUnderCurve { get; }

    public double FalsePositiveRate(RocPoint point) => (double)point.FalsePositives / GoodCount;

    public double TruePositiveRate(RocPoint point) => (double)point.TruePositives / AnomalousCount;

    /// <param name="scores">One per image, higher is more anomalous.</param>
    /// <param name="anomalous">The truth, one per image.</param>
    /// <returns>Null if there are only good or only anomalous images.</returns>
    /// <exception cref="ArgumentException">A score is not finite, or the lengths differ.</exception>
    public static RocCurve? Compute(ReadOnlySpan<float> scores, ReadOnlySpan<bool> anomalous)
    {
        if (scores.Length != anomalous.Length)
            throw new ArgumentException($"{scores.Length} scores but {anomalous.Length} labels.", nameof(anomalous));
        for (int i = 0; i < scores.Length; i++)
            if (!float.IsFinite(scores[i]))
                throw new ArgumentException(
                    $"Score {i} of {scores.Length} is {scores[i]}; scores must be finite.", nameof(scores));

        int positives = anomalous.Count(true), negatives = anomalous.Length - positives;
        if (positives == 0 || negatives == 0) return null;

        float[] sorted = scores.ToArray();
        bool[] labels = anomalous.ToArray();
        Array.Sort(sorted, labels);

        var points = new List<RocPoint> { new(float.PositiveInfinity, 0, 0) };
        (int falsePositives, int truePositives) = (0, 0);
        for (int i = sorted.Length - 1; i >= 0; i--)
        {
            if (labels[i]) truePositives++;
            else falsePositives++;
            if (i == 0 || sorted[i - 1] != sorted[i])
                points.Add(new(sorted[i], falsePositives, truePositives));
        }
        return new RocCurve(negatives, positives, [.. points]);
    }

    private static double AreaUnder(RocPoint[] points)
    {
        long doubled = 0;  // in integers, so that nothing is lost before the division
        for (int i = 1; i < points.Length; i++)
        {
            long width = points[i].FalsePositives - points[i - 1].FalsePositives;
            doubled += width * (points[i].TruePositives + points[i - 1].TruePositives);
        }
        return doubled / (2.0 * points[^1].FalsePositives * points[^1].TruePositives);
    }
}
