using PtxSimulator.Counting;
using PtxSimulator.Memory;

namespace PtxSimulator;

/// <summary>A GPU in software: memory, and kernels that run on it to their end.</summary>
/// <remarks>Launches on one device run one at a time.</remarks>
public sealed class SimulatedDevice(SimulatedDeviceOptions options) : IDisposable
{
    public SimulatedDeviceOptions Options => options;

    public DeviceMemory Memory { get; } = new(options.MemoryBytes);

    /// <summary>Runs a kernel to its end.</summary>
    /// <param name="parameters">The parameter buffer, laid out as <see cref="PtxKernel.Parameters"/> say.</param>
    /// <returns>What was counted; without counters, a report that holds the geometry alone.</returns>
    /// <exception cref="SimulationException">The kernel did something wrong, or the launch is impossible.</exception>
    public LaunchReport Run(
        PtxKernel kernel, Extent grid, Extent block, int dynamicSharedBytes, ReadOnlySpan<byte> parameters) =>
        throw new NotImplementedException();

    public void Dispose() => Memory.Dispose();
}
