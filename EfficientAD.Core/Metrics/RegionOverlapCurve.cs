namespace EfficientAD.Metrics;

/// <summary>A point of a <see cref="RegionOverlapCurve"/>.</summary>
public readonly record struct OverlapPoint(double FalsePositiveRate, double Overlap);

/// <summary>The mean overlap with the defect regions over the rate of false-positive pixels, from (0, 0) to (1, 1):
/// every distinct score is a threshold. The curve behind AU-PRO and AU-sPRO.</summary>
public sealed class RegionOverlapCurve
{
    private readonly double[] _falsePositiveRates, _overlaps;

    /// <param name="falsePositiveRates">Rising from 0 to 1.</param>
    /// <param name="overlaps">Rising from 0 to 1.</param>
    internal RegionOverlapCurve(double[] falsePositiveRates, double[] overlaps) =>
        (_falsePositiveRates, _overlaps) = (falsePositiveRates, overlaps);

    /// <summary>The area up to a limit of the false-positive rate, divided by the limit: 1 is perfect.</summary>
    /// <param name="limit">In (0, 1]: 0.3 for the usual AU-PRO, 0.05 for LOCO's AU-sPRO.</param>
    public double AreaUnder(double limit)
    {
        if (limit is not (> 0 and <= 1))
            throw new ArgumentOutOfRangeException(
                nameof(limit), limit, "The limit of the false-positive rate lies in (0, 1].");

        double area = 0;
        for (int i = 1; i < _overlaps.Length && _falsePositiveRates[i - 1] < limit; i++)
        {
            double right = Math.Min(_falsePositiveRates[i], limit);
            area += (right - _falsePositiveRates[i - 1]) * (_overlaps[i - 1] + Between(i, right)) / 2;
        }
        return area / limit;
    }

    /// <summary>The overlap at a false-positive rate in [0, 1]; the highest one where the curve is vertical.</summary>
    public double OverlapAt(double falsePositiveRate)
    {
        // Behind the last point at this rate or below; bit-wise complement when Array.BinarySearch finds none equal.
        int found = Array.BinarySearch(_falsePositiveRates, falsePositiveRate);
        int next = found < 0 ? ~found : found;
        while (next < _overlaps.Length && _falsePositiveRates[next] <= falsePositiveRate) next++;
        return next == _overlaps.Length ? _overlaps[^1] : Between(next, falsePositiveRate);
    }

    /// <summary>Points for a drawing: the origin, then <paramref name="count"/> rates from 0 to the limit.</summary>
    public OverlapPoint[] Sample(double limit, int count) =>
    [
        new(0, 0),
        .. Enumerable.Range(0, count).Select(i => limit * i / (count - 1))
            .Select(rate => new OverlapPoint(rate, OverlapAt(rate))),
    ];

    /// <summary>Interpolates between point i - 1 and point i.</summary>
    private double Between(int i, double rate)
    {
        double width = _falsePositiveRates[i] - _falsePositiveRates[i - 1];
        return width == 0
            ? _overlaps[i]
            : _overlaps[i - 1] + (_overlaps[i] - _overlaps[i - 1]) * ((rate - _falsePositiveRates[i - 1]) / width);
    }
}
