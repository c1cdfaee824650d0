namespace EfficientAD.Cli.Reports;

/// <summary>From pixel scores to colours, the same for every image of one model: score s becomes the intensity
/// s / (s + threshold), so that the threshold is always in the middle and no score is too high.</summary>
internal sealed class HeatmapScale
{
    // A pixel just below the threshold shows already; one at a quarter of it leaves the image as it is.
    private const double TransparentBelow = 0.2, OpaqueFrom = 0.6, MostOpacity = 0.75;

    // For a threshold that is not positive: what the 0.995 quantile of good pixels is scaled to (paper, section 3.4).
    private const float DefaultUnit = 0.1f;

    private readonly double _threshold, _unit;

    public HeatmapScale(float threshold) => (_threshold, _unit) = (threshold, threshold > 0 ? threshold : DefaultUnit);

    /// <summary>In [0, 1): 0.5 at the threshold, 0 from one unit below it down.</summary>
    public double Intensity(double score)
    {
        double above = (score - _threshold) / _unit;
        return above <= -1 ? 0 : (1 + above) / (2 + above);
    }

    /// <summary>The score of an intensity in (0, 1).</summary>
    public double Score(double intensity) => _threshold + _unit * (2 * intensity - 1) / (1 - intensity);

    /// <summary>How much the colour covers the image.</summary>
    public static double Opacity(double intensity)
    {
        double t = Math.Clamp((intensity - TransparentBelow) / (OpaqueFrom - TransparentBelow), 0, 1);
        return MostOpacity * t * t * (3 - 2 * t);
    }
}
