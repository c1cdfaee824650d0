using System.Runtime.Intrinsics;

namespace EfficientAD.Backends.Cpu;

/// <summary>Which vector instructions the convolutions use.</summary>
public enum InstructionSet
{
    /// <summary>The widest that the processor has.</summary>
    Auto,

    /// <summary>512-bit vectors (AVX-512F).</summary>
    Avx512,

    /// <summary>256-bit vectors (AVX2 with FMA).</summary>
    Avx2,

    /// <summary>128-bit vectors, everywhere (SSE2, Arm64 AdvSimd, WebAssembly, scalar fall-back).</summary>
    Portable,
}

/// <summary>How a <see cref="CpuBackend"/> uses the processor.</summary>
public sealed record CpuOptions
{
    /// <summary>Threads that compute, the caller's included; 0 means one per core that the process may use.</summary>
    public int Threads { get; init; }

    public InstructionSet InstructionSet { get; init; }

    /// <summary>Adds up the products of every convolution one by one: what faster ways are compared with.</summary>
    internal bool IsPlain { get; init; }

    internal int ResolveThreads()
    {
        ArgumentOutOfRangeException.ThrowIfNegative(Threads);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Threads, 1024);
        return Threads == 0 ? Environment.ProcessorCount : Threads;
    }

    internal InstructionSet ResolveInstructionSet() => InstructionSet switch
    {
        InstructionSet.Auto when Vector512.IsHardwareAccelerated => InstructionSet.Avx512,
        InstructionSet.Auto when Vector256.IsHardwareAccelerated => InstructionSet.Avx2,
        InstructionSet.Auto => InstructionSet.Portable,
        InstructionSet.Avx512 when !Vector512.IsHardwareAccelerated =>
            throw new PlatformNotSupportedException("This processor has no AVX-512; use InstructionSet.Auto."),
        InstructionSet.Avx2 when !Vector256.IsHardwareAccelerated =>
            throw new PlatformNotSupportedException("This processor has no AVX2; use InstructionSet.Auto."),
        _ => InstructionSet,
    };
}
