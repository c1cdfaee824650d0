namespace EfficientAD.Detection;

/// <summary>Quantiles of both maps over good validation images (paper, section 3.4): a map value q_a becomes 0, q_b
/// 0.1.</summary>
/// <remarks>A map whose two quantiles are both 0 counts for nothing.</remarks>
/// <param name="LocalLow">0.9 quantile of the local map (teacher against student).</param>
/// <param name="LocalHigh">0.995 quantile of the local map.</param>
/// <param name="GlobalLow">0.9 quantile of the global map (autoencoder against student).</param>
/// <param name="GlobalHigh">0.995 quantile of the global map.</param>
public readonly record struct MapScaling(float LocalLow, float LocalHigh, float GlobalLow, float GlobalHigh)
{
    public const float LowQuantile = 0.9f, HighQuantile = 0.995f;

    private const float HighValue = 0.1f, Share = 0.5f;

    /// <summary>Factor of the local map in the combined one.</summary>
    public float LocalScale => ScaleOf(LocalLow, LocalHigh);

    /// <summary>Factor of the global map in the combined one.</summary>
    public float GlobalScale => ScaleOf(GlobalLow, GlobalHigh);

    /// <summary>The scaling under which the combined map is half of the local one's scaled map.</summary>
    public MapScaling LocalAlone() => this with { GlobalLow = 0, GlobalHigh = 0 };

    /// <summary>Likewise of the global map.</summary>
    public MapScaling GlobalAlone() => this with { LocalLow = 0, LocalHigh = 0 };

    /// <summary>What the combined map starts from.</summary>
    public float Offset => -LocalScale * LocalLow - GlobalScale * GlobalLow;

    /// <summary>Finite; each high quantile above its low one, or both 0, but not of both maps.</summary>
    public bool IsValid =>
        float.IsFinite(LocalScale) && float.IsFinite(GlobalScale) && float.IsFinite(Offset)
        && LocalScale >= 0 && GlobalScale >= 0 && LocalScale + GlobalScale > 0;

    private static float ScaleOf(float low, float high) => low == 0 && high == 0 ? 0 : Share * HighValue / (high - low);
}
