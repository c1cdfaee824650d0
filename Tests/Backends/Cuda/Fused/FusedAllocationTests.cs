using System.Runtime.InteropServices;
using EfficientAD.Backends.Cuda;
using EfficientAD.Backends.Cuda.Fused;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Native;
using EfficientAD.Native.Driver;
using EfficientAD.Networks;
using EfficientAD.Tests.Imaging;
using PtxSimulator;
using PtxSimulator.Driver;

namespace EfficientAD.Tests.Backends.Cuda.Fused;

/// <summary>What a frame costs on the host once the plan is warm. The simulator itself allocates, so the calls of such
/// a frame end in functions that only count.</summary>
public unsafe class FusedAllocationTests
{
    private const int Side = 40;

    [ThreadStatic]
    private static nint _context;  // not zero: the driver is mute

    [ThreadStatic]
    private static int _calls;

    [Fact]
    public void Frame_AllocatesNothingAndIsOneGraph()
    {
        int ordinal = SimulatedDriver.AddDevice(new SimulatedDeviceOptions { Checks = Checks.None, Counters = false });
        using var cuda = new CudaBackend(new CudaDriver(Export), ordinal);
        using var networks = new DetectionNetworks(cuda, PdnSize.Small, padded: false, trainable: false);
        cuda.Fill(1, networks.Deviation);
        using var fused = new FusedDetection(cuda, networks, MapOrder.Reference, Side, Side);
        byte[] pixels = NoiseImage.Bytes(3 * Side * Side, 1);
        var map = new float[Side * Side];
        for (int i = 0; i < 2; i++) Detect();  // by launches, then captured

        using CudaContext.Scope scope = cuda.Stream.Context.Enter();
        try
        {
            (_context, _calls) = (cuda.Stream.Context.Handle, 0);
            Detect();
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 10; i++) Detect();
            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.Equal(11, _calls);
        }
        finally
        {
            _context = 0;
        }

        void Detect()
        {
            fused.Compute(new ImageView(pixels, Side, Side, 3 * Side, PixelFormat.Rgb24));
            fused.Finish(0, new MapScaling(0, 1, 0, 1), Side, Side, map);
        }
    }

    private static nint Export(string name) => name switch
    {
        "cuCtxGetCurrent" => (nint)(delegate* unmanaged<nint*, int>)&GetCurrent,
        "cuGraphLaunch" => (nint)(delegate* unmanaged<nint, nint, int>)&LaunchGraph,
        "cuMemcpyHtoDAsync_v2" => (nint)(delegate* unmanaged<nint, void*, nuint, nint, int>)&CopyIn,
        "cuMemcpyDtoHAsync_v2" => (nint)(delegate* unmanaged<void*, nint, nuint, nint, int>)&CopyOut,
        "cuStreamSynchronize" => (nint)(delegate* unmanaged<nint, int>)&SynchronizeStream,
        "cuEventRecord" => (nint)(delegate* unmanaged<nint, nint, int>)&RecordEvent,
        "cuEventSynchronize" => (nint)(delegate* unmanaged<nint, int>)&SynchronizeEvent,
        _ => SimulatedDriver.Export(name),
    };

    [UnmanagedCallersOnly]
    private static int GetCurrent(nint* context)
    {
        if (_context == 0) return ((delegate* unmanaged<nint*, int>)SimulatedDriver.Export("cuCtxGetCurrent"))(context);
        *context = _context;
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int LaunchGraph(nint graph, nint stream)
    {
        _calls++;
        return _context != 0
            ? 0
            : ((delegate* unmanaged<nint, nint, int>)SimulatedDriver.Export("cuGraphLaunch"))(graph, stream);
    }

    [UnmanagedCallersOnly]
    private static int CopyIn(nint to, void* from, nuint bytes, nint stream) => _context != 0 ? 0
        : ((delegate* unmanaged<nint, void*, nuint, nint, int>)SimulatedDriver.Export("cuMemcpyHtoDAsync_v2"))(
            to, from, bytes, stream);

    [UnmanagedCallersOnly]
    private static int CopyOut(void* to, nint from, nuint bytes, nint stream) => _context != 0 ? 0
        : ((delegate* unmanaged<void*, nint, nuint, nint, int>)SimulatedDriver.Export("cuMemcpyDtoHAsync_v2"))(
            to, from, bytes, stream);

    [UnmanagedCallersOnly]
    private static int SynchronizeStream(nint stream) => _context != 0 ? 0
        : ((delegate* unmanaged<nint, int>)SimulatedDriver.Export("cuStreamSynchronize"))(stream);

    [UnmanagedCallersOnly]
    private static int RecordEvent(nint marked, nint stream) => _context != 0 ? 0
        : ((delegate* unmanaged<nint, nint, int>)SimulatedDriver.Export("cuEventRecord"))(marked, stream);

    [UnmanagedCallersOnly]
    private static int SynchronizeEvent(nint marked) => _context != 0 ? 0
        : ((delegate* unmanaged<nint, int>)SimulatedDriver.Export("cuEventSynchronize"))(marked);
}
