using EfficientAD.Backends.Cuda;
using EfficientAD.Native;
using EfficientAD.Native.Driver;
using PtxSimulator;
using PtxSimulator.Driver;

namespace EfficientAD.Tests.Native;

/// <summary>A simulated device of one test's own, so that tests that run side by side see nothing of each
/// other.</summary>
internal sealed class SimulatedContext : IDisposable
{
    private const long SmallMemory = 64 << 20;

    /// <param name="export">What the driver's table is filled from; null for the whole simulator.</param>
    /// <param name="options">Null for a small card that is watched by all checks.</param>
    public SimulatedContext(Func<string, nint>? export = null, SimulatedDeviceOptions? options = null)
    {
        Ordinal = SimulatedDriver.AddDevice(options ?? new SimulatedDeviceOptions { MemoryBytes = SmallMemory });
        Driver = new CudaDriver(export ?? SimulatedDriver.Export);
        Context = CudaContext.Open(Driver, Ordinal);
        Stream = new CudaStream(Context);
    }

    public int Ordinal { get; }

    public CudaDriver Driver { get; }

    public CudaContext Context { get; }

    public CudaStream Stream { get; }

    /// <summary>What was left behind; only whole once everything is disposed.</summary>
    public IReadOnlyList<string> Leaks => SimulatedDriver.Leaks(Ordinal);

    /// <summary>One of the product's own kernel files.</summary>
    public CudaModule Load(string file)
    {
        string name = $"ptx/{file}.sm_80.ptx";
        return new CudaModule(Context, KernelLibrary.Read(name)!, name);
    }

    public void Dispose()
    {
        Stream.Dispose();
        Context.Dispose();
    }
}
