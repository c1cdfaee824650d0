using System.Runtime.InteropServices;
using EfficientAD.Native;
using EfficientAD.Native.Driver;
using PtxSimulator.Driver;

namespace EfficientAD.Tests.Native;

/// <summary>What a launch costs on the host. The simulator itself allocates, so the calls of a launch end in functions
/// that do nothing.</summary>
public unsafe class LaunchAllocationTests
{
    [ThreadStatic]
    private static nint _current;

    [Fact]
    public void Launch_AllocatesNothing()
    {
        using var simulated = new SimulatedContext();
        using CudaContext.Scope scope = simulated.Context.Enter();
        _current = simulated.Context.Handle;
        using var context = CudaContext.FromHandle(new CudaDriver(Export), _current);
        using var stream = new CudaStream(context);
        ReadOnlySpan<byte> ptx = ".version 7.0\n.target sm_80\n.address_size 64\n.visible .entry k(.param .u64 a, "u8 +
            ".param .u32 b, .param .s32 c, .param .f32 d, .param .u64 e, .param .s64 f)\n{\nret;\n}\n"u8;
        using var module = new CudaModule(context, ptx, "k.ptx");
        CudaKernel kernel = module.GetKernel("k");
        var shape = new LaunchShape(new Extent(3, 2), new Extent(32));
        Launch();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) Launch();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Launch() => kernel.Launch(stream, shape, (nint)256, 7u, -7, 1.5f, ulong.MaxValue, long.MinValue);
    }

    private static nint Export(string name) => name switch
    {
        nameof(CudaDriver.cuCtxGetCurrent) => (nint)(delegate* unmanaged<nint*, int>)&GetCurrent,
        nameof(CudaDriver.cuLaunchKernel) =>
            (nint)(delegate* unmanaged<
                nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, int>)&Check,
        _ => SimulatedDriver.Export(name),
    };

    [UnmanagedCallersOnly]
    private static int GetCurrent(nint* context)
    {
        *context = _current;
        return 0;
    }

    /// <summary>Fails where a value does not arrive as it was given.</summary>
    [UnmanagedCallersOnly]
    private static int Check(
        nint function, uint gridX, uint gridY, uint gridZ, uint blockX, uint blockY, uint blockZ, uint sharedBytes,
        nint stream, void** arguments, void** extra)
    {
        const int invalidValue = 1;
        bool isShape = (gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes) == (3u, 2u, 1u, 32u, 1u, 1u, 0u);
        bool areValues = *(nint*)arguments[0] == 256 && *(uint*)arguments[1] == 7 && *(int*)arguments[2] == -7
            && *(float*)arguments[3] == 1.5f && *(ulong*)arguments[4] == ulong.MaxValue
            && *(long*)arguments[5] == long.MinValue;
        return isShape && areValues && extra == null ? 0 : invalidValue;
    }
}
