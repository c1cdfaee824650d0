using EfficientAD.Detection;
using EfficientAD.Imaging;

namespace EfficientAD.Metrics;

/// <summary>How well maps show where the defects are. Exact: every distinct score is a threshold.</summary>
/// <param name="Auroc">Area under the ROC curve of all pixels; a pixel is anomalous if any mask marks it.</param>
/// <param name="RegionOverlap">The PRO curve as the evaluation code of MVTec AD defines it: regions are the
/// 8-connected components of the marked pixels, each counts alike, and the false-positive rate is over the unmarked
/// pixels of all images.</param>
/// <param name="SaturatedRegionOverlap">The sPRO curve as the evaluation code of MVTec LOCO AD defines it: a region is
/// one mask, found whole once its saturation area is found. Null without a <see cref="RegionSaturation"/>.</param>
public sealed record PixelMetrics(
    double Auroc, RegionOverlapCurve RegionOverlap, RegionOverlapCurve? SaturatedRegionOverlap)
{
    /// <summary>Between two neighbouring scores of marked pixels the curves are straight, so only those scores are
    /// kept (about 100 bytes for each distinct one) and the unmarked pixels are counted between and at them.</summary>
    /// <param name="samples">Enumerated twice, one sample at a time.</param>
    /// <param name="saturation">For MVTec LOCO, else null.</param>
    /// <returns>Null if no pixel is marked or all are.</returns>
    /// <exception cref="ArgumentException">A value is not finite, or a mask has another size than its map.</exception>
    /// <exception cref="InvalidDataException">A mask does not fit <paramref name="saturation"/>.</exception>
    public static PixelMetrics? Compute(IEnumerable<PixelSample> samples, RegionSaturation? saturation = null)
    {
        var marked = new List<uint>();
        foreach (PixelSample sample in samples)
            Collect(sample, marked);
        if (marked.Count == 0) return null;

        uint[] scores = [.. marked];
        marked = null;
        ScoreKeys.Sort(scores, new uint[scores.Length]);
        var counts = new PixelCounts(scores[..ScoreKeys.Distinct(scores)], saturation);
        foreach (PixelSample sample in samples)
            counts.Add(sample);
        return counts.ToMetrics();
    }

    private static void Collect(PixelSample sample, List<uint> marked)
    {
        AnomalyMap map = sample.Map;
        foreach (float value in map.Values)
            if (!float.IsFinite(value))
                throw new ArgumentException($"A map holds {value}; pixel scores must be finite.", nameof(sample));
        foreach (GreyImage mask in sample.Masks)
            if ((mask.Width, mask.Height) != (map.Width, map.Height))
                throw new ArgumentException(
                    $"A mask is {mask.Width} x {mask.Height} but the map {map.Width} x {map.Height}.", nameof(sample));
        if (sample.Masks.Count == 0) return;

        byte[] union = sample.UnionOfMasks().Pixels;
        for (int i = 0; i < union.Length; i++)
            if (union[i] != 0)
                marked.Add(ScoreKeys.Of(map.Values[i]));
    }
}
