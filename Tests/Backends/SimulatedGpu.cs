using EfficientAD.Backends.Cuda;
using EfficientAD.Native.Driver;
using PtxSimulator;
using PtxSimulator.Driver;

namespace EfficientAD.Tests.Backends;

/// <summary>A device of the simulator for one test class, watched by all checks.</summary>
/// <param name="seed">Of the order of warps and blocks; 0: in order.</param>
internal sealed class SimulatedGpu(int computeCapability = 86, int seed = 0, Checks checks = Checks.All)
{
    public static CudaDriver Driver { get; } = new(SimulatedDriver.Export);

    public int Ordinal { get; } = SimulatedDriver.AddDevice(new SimulatedDeviceOptions
    {
        ComputeCapability = computeCapability,
        Seed = seed,
        Checks = checks,
        Counters = false,
    });

    public CudaBackend Open(CudaOptions? options = null) =>
        new(Driver, Ordinal, (options ?? new CudaOptions()) with { IsTrusted = true });
}
