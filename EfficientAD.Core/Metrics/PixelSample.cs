using EfficientAD.Detection;
using EfficientAD.Imaging;

namespace EfficientAD.Metrics;

/// <summary>The scores of one test image's pixels and its ground truth.</summary>
/// <param name="Map">The anomaly map at the image's size; every value finite.</param>
/// <param name="Masks">Of the map's size, zero where the image is free of the defect; none for a good image.</param>
public sealed record PixelSample(AnomalyMap Map, IReadOnlyList<GreyImage> Masks)
{
    /// <summary>The largest value of each pixel over all masks, of which there is at least one.</summary>
    public GreyImage UnionOfMasks()
    {
        if (Masks.Count == 1) return Masks[0];
        var union = new GreyImage(Map.Width, Map.Height);
        foreach (GreyImage mask in Masks)
            for (int i = 0; i < mask.Pixels.Length; i++)
                union.Pixels[i] = Math.Max(union.Pixels[i], mask.Pixels[i]);
        return union;
    }
}
