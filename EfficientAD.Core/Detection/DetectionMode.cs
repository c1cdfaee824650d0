namespace EfficientAD.Detection;

/// <summary>How a <see cref="DetectionPlan"/> computes.</summary>
public enum DetectionMode
{
    /// <summary>Layer by layer, as training computes: the reference for the others.</summary>
    Plain,

    /// <summary>On the CPU fused, with minimal filtering in small tiles; elsewhere as <see cref="Plain"/>.</summary>
    Precise,

    /// <summary>On the CPU fused, in large tiles. On a CUDA device fused, in half precision with sums in float32: see
    /// docs/fusion.md for the error.</summary>
    Fast,
}
