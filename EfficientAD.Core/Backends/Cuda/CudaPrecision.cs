namespace EfficientAD.Backends.Cuda;

/// <summary>How exactly a <see cref="CudaBackend"/> computes convolutions; everything else is float32 always.</summary>
public enum CudaPrecision
{
    /// <summary>float32 throughout.</summary>
    Full,

    /// <summary>Factors rounded to 10 bits of fraction and multiplied by tensor cores, sums in float32; in all
    /// directions. Needs compute capability 8.0; older devices compute as <see cref="Full"/>.</summary>
    Tf32,

    /// <summary>Factors rounded to IEEE binary16 (10 bits of fraction; inputs beyond 65504 are infinite) and multiplied
    /// by tensor cores, sums in float32; output gradients are scaled by a power of two first, each by its own. In all
    /// directions, but for the input gradient of a strided convolution and gradients that are mostly zero: those are
    /// float32.</summary>
    Half,

    /// <summary>In detection's fused plan teacher and student multiply 8-bit integers, from their second layer on;
    /// whatever is computed layer by layer is float32. Models refuse it that were not calibrated for it, or whose
    /// scores it moves too much: docs/precision.md. Needs compute capability 8.0.</summary>
    Int8,

    /// <summary>The same with 8-bit floats (e4m3). Needs compute capability 8.9, or 10.0 and newer.</summary>
    Fp8,
}
