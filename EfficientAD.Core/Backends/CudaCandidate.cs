using EfficientAD.Backends.Cuda;
using EfficientAD.Backends.Cuda.Fused;
using EfficientAD.Detection;
using EfficientAD.Native;
using EfficientAD.Native.Driver;
using EfficientAD.Networks;

namespace EfficientAD.Backends;

/// <summary>Whether and how one CUDA device computes here.</summary>
/// <param name="Device">What the driver says of it.</param>
/// <param name="Target">The kernels that it gets: sm_80, for instance; null where it is too old for all.</param>
/// <param name="FreeBytes">Device memory that nobody has allocated; null where the device could not be opened.</param>
/// <param name="Unusable">Why it cannot be used, in a sentence; null where it can, and has computed a few small
/// problems as the CPU does.</param>
public sealed record CudaCandidate(CudaDevice Device, string? Target, long? FreeBytes, string? Unusable)
{
    // Small, so that it takes a moment: a detector compares at its own size before it relies on the plan.
    private static readonly FusedProblem Detection = new(PdnSize.Small, MapOrder.Aligned, 64, 64, Samples: 1);

    /// <summary>Why detection computes layer by layer instead of by the fused plan, in a sentence; null where it does
    /// not, or where the device cannot be used at all.</summary>
    public string? Unfused { get; private init; }

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
            string? fault = CudaSelfCheck.FindFault(backend, CudaPrecision.Full);
            string? unfused = fault is null ? FindFusedFault(backend) : null;
            return new CudaCandidate(device, target, free, fault) { Unfused = unfused };
        }
        catch (Exception e) when (e is CudaException or NotSupportedException)
        {
            return new CudaCandidate(device, target, free, e.Message);
        }
    }

    private static string? FindFusedFault(CudaBackend backend) => FusedDetection.RunsOn(backend)
        ? new FusedCheck(backend).FindFault(Detection, anew: true)
        : "The fused plan needs compute capability 8.0.";
}
