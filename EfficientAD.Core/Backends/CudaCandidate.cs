using EfficientAD.Backends.Cuda;
using EfficientAD.Native;
using EfficientAD.Native.Driver;

namespace EfficientAD.Backends;

/// <summary>Whether and how one CUDA device computes here.</summary>
/// <param name="Device">What the driver says of it.</param>
/// <param name="Target">The kernels that it gets: sm_80, for instance; null where it is too old for all.</param>
/// <param name="FreeBytes">Device memory that nobody has allocated; null where the device could not be opened.</param>
/// <param name="Unusable">Why it cannot be used, in a sentence; null where it can, and has computed a few small
/// problems as the CPU does.</param>
public sealed record CudaCandidate(CudaDevice Device, string? Target, long? FreeBytes, string? Unusable)
{
    /// <summary>Opens the device and tries it. Throws nothing for what is wrong with it.</summary>
    internal static CudaCandidate Examine(CudaDriver driver, CudaDevice device)
    {
        string? target = KernelLibrary.TargetOf(device);
        long? free = null;
        try
        {
            KernelLibrary.RequireSupport(device);
            using CudaContext context = CudaContext.Open(driver, device.Index);
            free = context.QueryFreeBytes();
            using var stream = new CudaStream(context);
            using var backend = new CudaBackend(context, stream);
            return new CudaCandidate(device, target, free, CudaSelfCheck.FindFault(backend, CudaPrecision.Full));
        }
        catch (Exception e) when (e is CudaException or NotSupportedException)
        {
            return new CudaCandidate(device, target, free, e.Message);
        }
    }
}
