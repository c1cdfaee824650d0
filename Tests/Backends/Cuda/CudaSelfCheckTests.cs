using EfficientAD.Backends;
using EfficientAD.Tests.Native;
using PtxSimulator;

namespace EfficientAD.Tests.Backends.Cuda;

public class CudaSelfCheckTests
{
    [Fact]
    public void DeviceThatComputesRightly_IsUsable()
    {
        using var own = new SimulatedContext(
            options: new SimulatedDeviceOptions { Checks = Checks.None, Counters = false });
        CudaCandidate candidate = CudaCandidate.Examine(own.Driver, own.Context.Device);
        Assert.Null(candidate.Unusable);
        Assert.Null(candidate.Unfused);
        Assert.Equal("sm_80", candidate.Target);
        Assert.InRange(candidate.FreeBytes!.Value, 1, own.Context.Device.MemoryBytes);
    }

    [Fact]
    public void DeviceWhoseKernelsDoNothing_IsFoundOut()
    {
        using var own = new SimulatedContext(LaunchlessDriver.Export);
        CudaCandidate candidate = CudaCandidate.Examine(own.Driver, own.Context.Device);
        Assert.StartsWith(
            $"CUDA, {own.Context.Device.Name} (compute capability 8.6) computes preprocess wrongly: off by ",
            candidate.Unusable);
        Assert.EndsWith("Update the driver, check the card, or use --device cpu.", candidate.Unusable);
    }

    [Fact]
    public void DeviceThatIsTooOld_SaysWhatIsNeeded()
    {
        using var own = new SimulatedContext();
        CudaCandidate candidate = CudaCandidate.Examine(
            own.Driver, own.Context.Device with { Name = "Old card", ComputeCapability = new Version(7, 0) });
        Assert.Null(candidate.Target);
        Assert.Null(candidate.FreeBytes);
        Assert.Equal(
            "Old card has compute capability 7.0; the kernels need 7.5 (Turing) or newer. Use --device cpu.",
            candidate.Unusable);
    }
}
