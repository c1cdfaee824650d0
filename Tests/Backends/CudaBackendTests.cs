using EfficientAD.Backends.Cuda;
using EfficientAD.Tests.Gpu;

namespace EfficientAD.Tests.Backends;

/// <summary>The CUDA backend on the simulator with all its checks: the kernels for Ampere and newer, under two orders
/// of warps and blocks, which must give the same bits.</summary>
public class CudaBackendTests() : BackendTests(InOrder.Open(), Shuffled.Open())
{
    private static readonly SimulatedGpu InOrder = new(), Shuffled = new(seed: 1);
}

/// <summary>The same with the kernels for Turing.</summary>
public class CudaBackendTuringTests() : BackendTests(Turing.Open())
{
    private static readonly SimulatedGpu Turing = new(computeCapability: 75, seed: 2);
}

/// <summary>The same on the first real GPU, where there is one.</summary>
[Trait(RealGpu.Trait, RealGpu.Needed)]
public class CudaBackendOnGpuTests() : BackendTests(Open())
{
    private static CudaBackend Open()
    {
        _ = RealGpu.OpenOrSkip();
        return new CudaBackend();
    }
}
