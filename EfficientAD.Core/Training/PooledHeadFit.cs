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

    /// <param name="images">Good ones that were set aside.</param>
    /// <param name="scores">Of these images by their maps; overwritten by those with the head.</param>
    public PooledScaling FindScaling(PooledDistribution distribution, ImageSet images, float[] scores)
    {
        double[] distances =
            [.. Enumerable.Range(0, images.Count).Select(i => distribution.Distance(Pool(images[i])))];
        PooledScaling scaling = PooledScaling.FromGood(scores, distances);
        for (int i = 0; i < scores.Length; i++) scores[i] = scaling.Combine(scores[i], distances[i]);
        return scaling;
    }

    public void Dispose() => _features.Dispose();

    private double[] Pool(RgbImage image)
    {
        input.Write(image.View, ColourAdjustment.None, _features.Image);
        return _features.Compute().ToArray();
    }
}
