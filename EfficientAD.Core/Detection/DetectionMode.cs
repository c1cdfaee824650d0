namespace EfficientAD.Detection;

/// <summary>How a <see cref="DetectionPlan"/> computes on the CPU.</summary>
public enum DetectionMode
{
    /// <summary>Layer by layer, as training computes: the reference for the others.</summary>
    Plain,

    /// <summary>Fused, with minimal filtering in small tiles.</summary>
    Precise,

    /// <summary>Fused, in large tiles.</summary>
    Fast,
}
