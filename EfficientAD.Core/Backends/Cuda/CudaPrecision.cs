namespace EfficientAD.Backends.Cuda;

/// <summary>How exactly a <see cref="CudaBackend"/> computes convolutions; everything else is float32 always.</summary>
public enum CudaPrecision
{
    /// <summary>float32 throughout.</summary>
    Full,

    /// <summary>Factors rounded to 10 bits of fraction and multiplied by tensor cores, sums in float32; in all
    /// directions. Needs compute capability 8.0; older devices compute as <see cref="Full"/>.</summary>
    Tf32,

    /// <summary>Forward convolutions take inputs and weights rounded to IEEE binary16 (10 bits of fraction; beyond 65504
    /// infinite) and sum in float32; gradients are float32. For inference.</summary>
    Half,
}
