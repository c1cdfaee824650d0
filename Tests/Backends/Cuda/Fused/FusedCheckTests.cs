using EfficientAD.Backends.Cuda;
using EfficientAD.Backends.Cuda.Fused;
using EfficientAD.Detection;
using EfficientAD.Native;
using EfficientAD.Networks;
using EfficientAD.Networks.Quantization;
using EfficientAD.Tests.Gpu;
using EfficientAD.Tests.Imaging;
using EfficientAD.Tests.Native;
using PtxSimulator;
using PtxSimulator.Driver;

namespace EfficientAD.Tests.Backends.Cuda.Fused;

/// <summary>A device that computes the fused plan wrongly is found out before anybody gets its scores.</summary>
public sealed class FusedCheckTests : IDisposable
{
    private static readonly FusedProblem Problem = new(PdnSize.Small, MapOrder.Reference, 33, 37, Samples: 2);

    private readonly TemporaryFolder _folder = new();

    private string CachePath => System.IO.Path.Combine(_folder.Path, "checks.json");

    [Fact]
    public void DeviceThatComputesRightly_IsAskedOnce()
    {
        using var simulated = new SimulatedContext(
            options: new SimulatedDeviceOptions { Checks = Checks.None, Counters = false });
        using var backend = new CudaBackend(simulated.Context, simulated.Stream);
        Assert.Null(new FusedCheck(backend, CachePath).FindFault(Problem));
        SimulatedDriver.ClearLaunches(simulated.Ordinal);
        Assert.Null(new FusedCheck(backend, CachePath).FindFault(Problem));
        Assert.Empty(SimulatedDriver.Launches(simulated.Ordinal));
    }

    /// <summary>What the CPU says numbers of 8 bits give, the device gives.</summary>
    [Theory]
    [InlineData("int8", PdnSize.Small, 86)]
    [InlineData("int8", PdnSize.Medium, 80)]
    [InlineData("fp8", PdnSize.Small, 89)]
    public void NumbersOf8Bits_AgreeWithTheCpu(string format, PdnSize size, int capability)
    {
        var options = new SimulatedDeviceOptions
        {
            ComputeCapability = capability,
            Checks = Checks.None,
            Counters = false,
        };
        using var simulated = new SimulatedContext(options: options);
        using var backend = new CudaBackend(simulated.Context, simulated.Stream);
        Assert.Null(new FusedCheck(backend, CachePath).FindFault(
            new FusedProblem(size, MapOrder.Reference, 33, 37, Samples: 1, Find(format))));
    }

    /// <summary>At full size: what only a GPU can say, its sums of 8-bit floats among it.</summary>
    [Theory, Trait(RealGpu.Trait, RealGpu.Needed)]
    [InlineData("int8")]
    [InlineData("fp8")]
    public void NumbersOf8BitsOnAGpu_AgreeWithTheCpu(string format)
    {
        CudaContext context = RealGpu.OpenOrSkip();
        using var stream = new CudaStream(context);
        using var backend = new CudaBackend(context, stream);
        Assert.SkipUnless(FusedDetection.RunsOn(backend), $"{backend.Name} has no fused plan.");
        string? lack = FusedDetection.FindFault(backend, Find(format));
        Assert.SkipWhen(lack is not null, lack ?? "");
        Assert.Null(new FusedCheck(backend, CachePath).FindFault(
            new FusedProblem(PdnSize.Small, MapOrder.Aligned, 256, 256, Samples: 2, Find(format))));
    }

    [Theory]
    [InlineData(86)]
    [InlineData(90)]
    public void FloatsOf8Bits_NeedTheirInstruction(int capability)
    {
        using var simulated = new SimulatedContext(
            options: new SimulatedDeviceOptions { ComputeCapability = capability });
        using var backend = new CudaBackend(simulated.Context, simulated.Stream);
        Assert.Contains(
            "does not multiply fp8",
            new FusedCheck(backend, CachePath).FindFault(Problem with { Format = EightBits.Fp8 }));
    }

    private static EightBits Find(string name) => EightBits.All.Single(format => format.Name == name);

    [Fact]
    public void DeviceWhoseKernelsDoNothing_IsFoundOutEveryTime()
    {
        using var simulated = new SimulatedContext(
            LaunchlessDriver.Export, new SimulatedDeviceOptions { Checks = Checks.None, Counters = false });
        using var backend = new CudaBackend(simulated.Context, simulated.Stream);
        for (int i = 0; i < 2; i++)
        {
            string? fault = new FusedCheck(backend, CachePath).FindFault(Problem);
            Assert.StartsWith(
                $"{backend.Name} computes the local map of the fused plan wrongly (Small, Reference, 33 x 37, ", fault);
        }
    }

    [Fact]
    public void DeviceThatFailedTheCheck_ComputesLayerByLayer()
    {
        using var simulated = new SimulatedContext(
            LaunchlessDriver.Export, new SimulatedDeviceOptions { Checks = Checks.None, Counters = false });
        using var backend = new CudaBackend(simulated.Context, simulated.Stream);
        using var networks = new DetectionNetworks(backend, PdnSize.Small, padded: false, trainable: false);
        using var plan = new DetectionPlan(networks, MapOrder.Reference, 33, 33, DetectionMode.Fast, batch: 2);
        Assert.Contains(" of the fused plan wrongly", plan.Fallback);
        Assert.Equal(1, plan.Batch);
    }

    public void Dispose() => _folder.Dispose();
}
