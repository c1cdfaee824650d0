using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Networks;

namespace EfficientAD.Training;

/// <summary>What the head on pooled features learns from good images: their distribution, and how the distance from it
/// adds to the score (PUAD, section 3.3).</summary>
/// <param name="networks">Frozen.</param>
internal sealed class PooledHeadFit(DetectionNetworks networks, NetworkInput input) : IDisposable
{
    private readonly PooledFeatures _features = new(networks.Backend, networks.Student, input.Height, input.Width);

    /// <param name="images">Those that the networks were trained on.</param>
    public PooledDistribution FindDistribution(ImageSet images) =>
        PooledDistribution.Fit([.. Enumerable.Range(0, images.Count).Select(i => Pool(images[i]))]);

    /// <param name="aside">Good images that were set aside.</param>
    /// <param name="seen">Good images that were trained on.</param>
    /// <param name="maps">Scores of both by their maps; overwritten by those with the head.</param>
    public PooledScaling FindScaling(
        PooledDistribution distribution, ImageSet aside, ImageSet seen, MapCalibration maps)
    {
        double[] distances = Distances(aside);
        PooledScaling scaling = PooledScaling.FromGood(maps.Scores, distances);
        Combine(maps.Scores, distances);
        Combine(maps.SeenScores, Distances(seen));
        return scaling;

        double[] Distances(ImageSet images) =>
            [.. Enumerable.Range(0, images.Count).Select(i => distribution.Distance(Pool(images[i])))];

        void Combine(float[] scores, double[] distances)
        {
            for (int i = 0; i < scores.Length; i++) scores[i] = scaling.Combine(scores[i], distances[i]);
        }
    }

    public void Dispose() => _features.Dispose();

    private double[] Pool(RgbImage image)
    {
        input.Write(image.View, ColourAdjustment.None, _features.Image);
        return _features.Compute().ToArray();
    }
}
