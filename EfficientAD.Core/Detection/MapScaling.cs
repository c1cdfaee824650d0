namespace EfficientAD.Detection;

/// <summary>Quantiles of both maps over good validation images (paper, section 3.4): a map value q_a becomes 0, q_b 0.1.</summary>
/// <param name="LocalLow">0.9 quantile of the local map (teacher against student).</param>
/// <param name="LocalHigh">0.995 quantile of the local map.</param>
/// <param name="GlobalLow">0.9 quantile of the global map (autoencoder against student).</param>
/// <param name="GlobalHigh">0.995 quantile of the global map.</param>
public readonly record struct MapScaling(float LocalLow, float LocalHigh, float GlobalLow, float GlobalHigh)
{
    public const float LowQuantile = 0.9f, HighQuantile = 0.995f;

    private const float HighValue = 0.1f, Share = 0.5f;

    /// <summary>Factor of the local map in the combined one.</summary>
    public float LocalScale => Share * HighValue / (LocalHigh - LocalLow);

    /// <summary>Factor of the global map in the combined one.</summary>
    public float GlobalScale => Share * HighValue / (GlobalHigh - GlobalLow);

    /// <summary>What the combined map starts from.</summary>
    public float Offset => -LocalScale * LocalLow - GlobalScale * GlobalLow;

    /// <summary>Finite, and each high quantile above its low one.</summary>
    public bool IsValid =>
        float.IsFinite(LocalScale) && float.IsFinite(GlobalScale) && float.IsFinite(Offset) && LocalScale > 0 && GlobalScale > 0;
}
