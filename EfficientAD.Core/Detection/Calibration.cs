namespace EfficientAD.Detection;

/// <summary>The threshold, found from good validation images alone, and a scale to read scores by.</summary>
/// <param name="Threshold">A score above it is anomalous.</param>
/// <param name="Scale">Standard deviation of the good scores, positive.</param>
/// <param name="FalsePositiveRate">Share of good images that the threshold is meant to let fail.</param>
/// <param name="Images">How many good images that were not trained on it rests on.</param>
public readonly record struct Calibration(float Threshold, float Scale, float FalsePositiveRate, int Images)
{
    public const float DefaultFalsePositiveRate = 0.01f;

    // With a tenth of the images set aside, as many as 80 leave.
    private const int FewImages = 8;

    // A spread below this share of the scores' size is chance: too few images.
    private const double SmallestRelativeSpread = 1e-3;

    /// <summary>The largest of three estimates of the (1 - rate) quantile of good scores: the empirical one, which few
    /// images cannot resolve; that of a normal distribution with the scores' mean and standard deviation, whose tail is
    /// shorter than that of a score, which is a maximum; and the empirical one of images that were trained on, of which
    /// there are many, moved up by as much as they score lower on average than others.</summary>
    /// <param name="scores">Of good images that were not trained on; at least one, finite.</param>
    /// <param name="falsePositiveRate">In (0, 0.5].</param>
    /// <param name="seen">Of good images that were trained on, finite; none where they are not known.</param>
    public static Calibration FromGoodScores(
        IReadOnlyList<float> scores, float falsePositiveRate = DefaultFalsePositiveRate,
        IReadOnlyList<float>? seen = null)
    {
        ArgumentOutOfRangeException.ThrowIfZero(scores.Count);
        if (falsePositiveRate is not (> 0 and <= 0.5f))
        {
            throw new ArgumentOutOfRangeException(
                nameof(falsePositiveRate), falsePositiveRate, "A false-positive rate lies above 0 and at most at 0.5.");
        }

        double[] sorted = Sort(scores), sortedSeen = Sort(seen ?? []);
        double mean = sorted.Average();
        double spread =
            Math.Sqrt(sorted.Sum(score => (score - mean) * (score - mean)) / Math.Max(1, sorted.Length - 1));
        spread = Math.Max(spread, SmallestRelativeSpread * Math.Max(Math.Abs(mean), SmallestRelativeSpread));
        double threshold = Math.Max(
            EmpiricalQuantile(sorted, 1 - falsePositiveRate), mean + spread * NormalQuantile(1 - falsePositiveRate));
        if (sortedSeen.Length > 0)
        {
            double gap = Math.Max(0, mean - sortedSeen.Average());
            threshold = Math.Max(threshold, EmpiricalQuantile(sortedSeen, 1 - falsePositiveRate) + gap);
        }

        return new Calibration((float)threshold, (float)spread, falsePositiveRate, sorted.Length);
    }

    /// <summary>How many images it takes for one of them to be the share that may fail.</summary>
    public static int ImagesToResolve(float falsePositiveRate) => (int)MathF.Ceiling(1 / falsePositiveRate);

    /// <summary>Why the threshold should not be trusted yet; null where nothing speaks against it.</summary>
    public string? Caveat => Images is > 0 and < FewImages
        ? $"The threshold rests on the scores of {Images} good image{(Images == 1 ? "" : "s")}; below {FewImages} it " +
            "says little, and many good parts may fail. Give more good images, or check it on some that were not " +
            "trained on."
        : null;

    /// <summary>Monotone in the score, in [0, 1], 0.5 at the threshold.</summary>
    public float Calibrate(float score) => (float)(1 / (1 + Math.Exp(-((double)score - Threshold) / Scale)));

    private static double[] Sort(IReadOnlyList<float> scores)
    {
        double[] sorted = [.. scores.Select(score => (double)score).Order()];
        return sorted.All(double.IsFinite)
            ? sorted
            : throw new ArgumentException("A good image has no finite score.", nameof(scores));
    }

    /// <summary>Linear between the two scores beside it.</summary>
    private static double EmpiricalQuantile(double[] sorted, double p)
    {
        double position = p * (sorted.Length - 1);
        int low = (int)position, high = Math.Min(low + 1, sorted.Length - 1);
        return sorted[low] + (sorted[high] - sorted[low]) * (position - low);
    }

    /// <summary>Where the standard normal distribution reaches p in [0.5, 1): bisection of its integral by Simpson's
    /// rule.</summary>
    private static double NormalQuantile(double p)
    {
        double low = 0, high = 8;
        for (int i = 0; i < 50; i++)
        {
            double middle = (low + high) / 2;
            if (0.5 + NormalIntegral(middle) < p) low = middle;
            else high = middle;
        }

        return low;
    }

    private static double NormalIntegral(double to)
    {
        const int Intervals = 256;
        double step = to / Intervals, sum = 0;
        for (int i = 0; i <= Intervals; i++)
        {
            double weight = i is 0 or Intervals ? 1 : i % 2 == 1 ? 4 : 2;
            sum += weight * Math.Exp(-0.5 * (i * step) * (i * step));
        }

        return sum * step / 3 / Math.Sqrt(2 * Math.PI);
    }
}
