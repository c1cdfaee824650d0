using System.Runtime.Intrinsics;
using EfficientAD.Backends.Cpu;

namespace EfficientAD.Tests.Backends;

/// <summary>The CPU backend with the widest vectors of this processor, on two, one and three threads.</summary>
public class CpuBackendTests() : BackendTests(On(2), On(1), On(3))
{
    /// <summary>F(4, 4) and F(6, 3) amplify rounding about fivefold, largest errors up to eightfold.</summary>
    internal const double FilteringAmplification = 8;

    private protected override double ConvolutionAmplification => FilteringAmplification;

    internal static CpuBackend On(int threads, InstructionSet instructions = InstructionSet.Auto) =>
        new(new CpuOptions { Threads = threads, InstructionSet = instructions });

    [Fact]
    public void AnInstructionSetThatTheProcessorLacks_IsRefused()
    {
        if (Vector512.IsHardwareAccelerated) using (On(1, InstructionSet.Avx512)) { }
        else Assert.Throws<PlatformNotSupportedException>(() => On(1, InstructionSet.Avx512));
    }

    [Theory, InlineData(-1), InlineData(1025)]
    public void ANumberOfThreadsOutOfRange_IsRefused(int threads) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => On(threads));
}

/// <summary>The same with 256-bit vectors, where the processor has them.</summary>
public class CpuBackendAvx2Tests() : BackendTests(
    CpuBackendTests.On(2, Widest), CpuBackendTests.On(1, Widest), CpuBackendTests.On(3, Widest))
{
    private protected override double ConvolutionAmplification => CpuBackendTests.FilteringAmplification;

    private static InstructionSet Widest => Vector256.IsHardwareAccelerated ? InstructionSet.Avx2 : InstructionSet.Auto;
}

/// <summary>The same with the vectors that every processor has.</summary>
public class CpuBackendPortableTests() : BackendTests(
    CpuBackendTests.On(2, InstructionSet.Portable), CpuBackendTests.On(1, InstructionSet.Portable),
    CpuBackendTests.On(3, InstructionSet.Portable))
{
    private protected override double ConvolutionAmplification => CpuBackendTests.FilteringAmplification;
}
