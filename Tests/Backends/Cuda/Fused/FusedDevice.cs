using EfficientAD.Backends.Cuda;
using EfficientAD.Native;
using EfficientAD.Tests.Native;
using PtxSimulator;
using PtxSimulator.Driver;
using PtxSimulator.Reports;

namespace EfficientAD.Tests.Backends.Cuda.Fused;

/// <summary>A simulated device with the kernels, and maps on it.</summary>
internal sealed class FusedDevice : IDisposable
{
    private readonly SimulatedContext _simulated;
    private readonly List<DeviceBuffer> _buffers = [];

    /// <param name="seed">Of the order of warps and blocks and of the landing of copies; 0: in order, at once.</param>
    public FusedDevice(int seed, int computeCapability = 86, Checks checks = Checks.All, bool counters = false)
    {
        _simulated = new SimulatedContext(options: new SimulatedDeviceOptions
        {
            ComputeCapability = computeCapability,
            Seed = seed,
            Checks = checks,
            Counters = counters,
        });
        Kernels = new KernelLibrary(_simulated.Context);
    }

    public KernelLibrary Kernels { get; }

    public CudaStream Stream => _simulated.Stream;

    /// <summary>What the last launch did; waits for it.</summary>
    public LaunchSummary LastLaunch
    {
        get
        {
            Stream.Synchronize();
            return SimulatedDriver.Launches(_simulated.Ordinal)[^1];
        }
    }

    public nint Upload(ReadOnlySpan<Half> values) => UploadAll(values);

    public nint Upload(ReadOnlySpan<byte> values) => UploadAll(values);

    private unsafe nint UploadAll<T>(ReadOnlySpan<T> values) where T : unmanaged
    {
        nint address = Allocate((long)values.Length * sizeof(T));
        Stream.Upload(values, address);
        return address;
    }

    /// <summary>Memory that nothing has written.</summary>
    public nint Allocate(long bytes)
    {
        _buffers.Add(new DeviceBuffer(Stream, bytes));
        return _buffers[^1].Address;
    }

    public float[] DownloadHalves(nint address, long count)
    {
        var values = new Half[count];
        Stream.Download(address, values.AsSpan());
        return Array.ConvertAll(values, value => (float)value);
    }

    public byte[] DownloadBytes(nint address, long count)
    {
        var values = new byte[count];
        Stream.Download(address, values.AsSpan());
        return values;
    }

    public float[] DownloadFloats(nint address, long count)
    {
        var values = new float[count];
        Stream.Download(address, values.AsSpan());
        return values;
    }

    public void Dispose()
    {
        foreach (DeviceBuffer buffer in _buffers) buffer.Dispose();
        Kernels.Dispose();
        _simulated.Dispose();
    }
}
