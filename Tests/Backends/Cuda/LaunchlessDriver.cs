using System.Runtime.InteropServices;
using EfficientAD.Native.Driver;
using PtxSimulator.Driver;

namespace EfficientAD.Tests.Backends.Cuda;

/// <summary>The simulated driver, but kernels do nothing: a device that computes wrongly and says it went
/// well.</summary>
internal static unsafe class LaunchlessDriver
{
    public static nint Export(string name) => name == nameof(CudaDriver.cuLaunchKernel)
        ? (nint)(delegate* unmanaged<
            nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, int>)&DoNothing
        : SimulatedDriver.Export(name);

    [UnmanagedCallersOnly]
    private static int DoNothing(
        nint function, uint gridX, uint gridY, uint gridZ, uint blockX, uint blockY, uint blockZ, uint sharedBytes,
        nint stream, void** arguments, void** extra) => 0;
}
