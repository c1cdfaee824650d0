using EfficientAD.Imaging;

namespace EfficientAD.Distillation;

/// <summary>A pretrained classification network, cut open after two of its stages: what a teacher learns
/// from.</summary>
public interface IBackbone : IDisposable
{
    /// <summary>Changes whenever <see cref="Extract"/> would give other values: weights, stages and input
    /// normalisation.</summary>
    string Fingerprint { get; }

    /// <summary>The two stages' outputs for one image.</summary>
    /// <remarks>One image at a time, so that its features have the same bits whichever other images are asked
    /// for.</remarks>
    /// <param name="image">8-bit RGB of any size that the network takes; it normalises the values itself.</param>
    /// <returns>The earlier stage (finer grid) and the later one (coarser grid).</returns>
    (FeatureMap Earlier, FeatureMap Later) Extract(RgbImage image);
}
