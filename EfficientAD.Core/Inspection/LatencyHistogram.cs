using System.Numerics;

namespace EfficientAD.Inspection;

/// <summary>Counts durations in buckets that grow with them, as HdrHistogram does: three digits are kept at every
/// magnitude, in memory that never grows, at the cost of one increment a value.</summary>
/// <remarks>Not thread-safe. Kept in ticks of 100 ns: exact below 205 microseconds, within 0.1 % above; durations
/// beyond <see cref="Longest"/> count there, only <see cref="Maximum"/> stays exact.</remarks>
public sealed class LatencyHistogram
{
    // A bucket's number is the leading 11 bits of the value and how far they were shifted.
    private const int KeptBits = 11, HalfBits = KeptBits - 1, LongestBits = 34;
    private const long LongestTicks = (1L << LongestBits) - 1;

    private readonly long[] _counts = new long[BucketOf(LongestTicks) + 1];
    private long _ticks, _maximum;

    /// <summary>28 minutes.</summary>
    public static TimeSpan Longest { get; } = new(LongestTicks);

    /// <summary>How many durations were recorded.</summary>
    public long Count { get; private set; }

    /// <summary>The longest duration, exactly; zero where there is none.</summary>
    public TimeSpan Maximum => new(_maximum);

    /// <summary>The mean, exactly; zero where there is none.</summary>
    public TimeSpan Mean => new(Count == 0 ? 0 : _ticks / Count);

    /// <param name="duration">Below zero counts as zero.</param>
    public void Record(TimeSpan duration)
    {
        long ticks = Math.Max(0, duration.Ticks);
        _counts[BucketOf(Math.Min(ticks, LongestTicks))]++;
        Count++;
        _ticks += ticks;
        _maximum = Math.Max(_maximum, ticks);
    }

    /// <summary>The shortest duration that a share of the durations does not exceed; rounded up within its bucket, so
    /// that it is never better than the truth. Zero where there is none.</summary>
    /// <param name="share">0.999 for "p99.9"; from 0 to 1.</param>
    public TimeSpan Quantile(double share)
    {
        if (share is not (>= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(share), share, "A share lies between 0 and 1.");
        long wanted = Math.Clamp((long)Math.Ceiling(share * Count), 1, Math.Max(1, Count)), seen = 0;
        for (int bucket = 0; bucket < _counts.Length; bucket++)
        {
            seen += _counts[bucket];
            if (seen >= wanted) return new(Math.Min(LargestOf(bucket), _maximum));
        }

        return Maximum;
    }

    /// <summary>Adds all that another histogram counted.</summary>
    public void Add(LatencyHistogram other)
    {
        for (int bucket = 0; bucket < _counts.Length; bucket++) _counts[bucket] += other._counts[bucket];
        Count += other.Count;
        _ticks += other._ticks;
        _maximum = Math.Max(_maximum, other._maximum);
    }

    private static int BucketOf(long ticks)
    {
        int shift = Math.Max(0, BitOperations.Log2((ulong)ticks) - HalfBits);
        return (shift << HalfBits) + (int)(ticks >> shift);
    }

    private static long LargestOf(int bucket)
    {
        int shift = Math.Max(0, (bucket >> HalfBits) - 1);
        return ((bucket - ((long)shift << HalfBits) + 1) << shift) - 1;
    }
}
