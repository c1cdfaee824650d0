namespace EfficientAD.Metrics;

/// <summary>The largest F1 score that any threshold reaches on labelled images: an optimistic figure, because the
/// threshold is chosen with the labels in sight.</summary>
/// <param name="Value">2 TP / (2 TP + FP + FN), in (0, 1].</param>
/// <param name="Threshold">The score from which on an image counts as anomalous; the highest one where several do
/// equally well.</param>
/// <param name="Precision">At that threshold.</param>
/// <param name="Recall">At that threshold.</param>
public readonly record struct F1Maximum(double Value, float Threshold, double Precision, double Recall)
{
    public static F1Maximum Compute(RocCurve curve)
    {
        F1Maximum best = default;
        foreach (RocPoint point in curve.Points)
        {
            int called = point.TruePositives + point.FalsePositives;
            double value = 2.0 * point.TruePositives / (called + curve.AnomalousCount);
            if (value > best.Value)
                best = new(value, point.Threshold, (double)point.TruePositives / called, curve.TruePositiveRate(point));
        }
        return best;
    }
}
