namespace EfficientAD.Imaging;

/// <summary>A change of colour before the resize, computed in 8 bits exactly as Pillow's ImageEnhance does
/// it.</summary>
/// <param name="Kind">Which property changes.</param>
/// <param name="Factor">1 leaves the image as it is; training draws it uniformly from [0.8, 1.2] (paper, section 4).
/// Ignored for <see cref="ColourAdjustmentKind.None"/> and <see cref="ColourAdjustmentKind.Grey"/>.</param>
public readonly record struct ColourAdjustment(ColourAdjustmentKind Kind, float Factor)
{
    public static ColourAdjustment None => default;

    public static ColourAdjustment Grey => new(ColourAdjustmentKind.Grey, 1);

    /// <exception cref="ArgumentException">The factor is used and not finite.</exception>
    internal void RequireFiniteFactor()
    {
        bool usesFactor = Kind is not (ColourAdjustmentKind.None or ColourAdjustmentKind.Grey);
        if (usesFactor && !float.IsFinite(Factor))
            throw new ArgumentException($"{Kind} by {Factor}: the factor must be finite.");
    }
}

/// <summary>The property that a <see cref="ColourAdjustment"/> changes.</summary>
public enum ColourAdjustmentKind
{
    None,

    /// <summary>Blend with black.</summary>
    Brightness,

    /// <summary>Blend with the image's mean luma.</summary>
    Contrast,

    /// <summary>Blend with the pixel's luma.</summary>
    Saturation,

    /// <summary>Replace by luma (ITU-R 601, Pillow's mode L).</summary>
    Grey,
}
