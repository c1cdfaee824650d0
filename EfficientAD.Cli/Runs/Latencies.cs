namespace EfficientAD.Cli.Runs;

/// <summary>How long calls took.</summary>
internal sealed class Latencies
{
    private readonly double[] _sorted;
    private readonly int _batch;
    private readonly double? _pace;

    /// <param name="milliseconds">Of each call, in their order.</param>
    /// <param name="batch">Images of a call.</param>
    /// <param name="pace">Calls a second that were asked for; null if each began when the one before had ended.</param>
    public Latencies(double[] milliseconds, int batch, double? pace)
    {
        (_sorted, _batch, _pace) = ([.. milliseconds.Order()], batch, pace);
        Mean = milliseconds.Average();
        Jitter = milliseconds.Length < 2
            ? 0
            : milliseconds.Zip(milliseconds.Skip(1), (a, b) => Math.Abs(b - a)).Average();
    }

    public int Count => _sorted.Length;

    public double Mean { get; }

    /// <summary>The mean difference between a call and the next, in milliseconds.</summary>
    public double Jitter { get; }

    /// <summary>As many as go; at a pace, as many as it asks for if it can be held.</summary>
    public double ImagesPerSecond => _batch * Math.Min(1000 / Mean, _pace ?? double.PositiveInfinity);

    /// <summary>Calls that had not ended when the next was due; null without a pace.</summary>
    public int? MissedDeadlines => _pace is { } pace ? _sorted.Count(time => time > 1000 / pace) : null;

    /// <summary>The smallest measured time that this share of the calls does not exceed.</summary>
    public double Quantile(double share) =>
        _sorted[Math.Clamp((int)Math.Ceiling(share * _sorted.Length) - 1, 0, _sorted.Length - 1)];
}
