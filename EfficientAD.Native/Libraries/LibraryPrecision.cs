namespace EfficientAD.Native.Libraries;

/// <summary>How a library multiplies. Sums are float32 always.</summary>
public enum LibraryPrecision
{
    /// <summary>float32 values, float32 products.</summary>
    Float32,

    /// <summary>float32 values, of which the products take the first 10 bits after the leading one.</summary>
    TensorFloat32,

    /// <summary>fp16 values.</summary>
    Float16,
}
