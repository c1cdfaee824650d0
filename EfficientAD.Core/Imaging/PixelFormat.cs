namespace EfficientAD.Imaging;

/// <summary>How the 8-bit samples of a pixel lie in memory.</summary>
public enum PixelFormat
{
    /// <summary>3 bytes: red, green, blue.</summary>
    Rgb24,

    /// <summary>3 bytes: blue, green, red.</summary>
    Bgr24,

    /// <summary>4 bytes: red, green, blue, alpha; alpha is ignored.</summary>
    Rgba32,

    /// <summary>4 bytes: blue, green, red, alpha; alpha is ignored.</summary>
    Bgra32,

    /// <summary>1 byte: used for red, green and blue alike.</summary>
    Grey8,
}
