using EfficientAD.Native;

namespace EfficientAD.Tests.Native;

public class CudaDevicesTests
{
    [Fact]
    public void Devices_AreDescribedByTheDriver()
    {
        var cuda = CudaDevices.Query(DriverStub.WithTwoDevices());
        Assert.Null(cuda.Unavailable);
        Assert.Equal(new Version(12, 4), cuda.DriverVersion);
        Assert.Equal(
            [
                Card(0, "First card", new Version(9, 0), 8L << 30),
                Card(1, "Second card", new Version(9, 1), 16L << 30),
            ],
            cuda.Devices);

        static CudaDevice Card(int index, string name, Version capability, long memory) =>
            new(index, name, capability, 132, memory)
            {
                MaximumThreadsPerBlock = 1024,
                MaximumSharedBytesPerBlock = 232448,
                SharedBytesPerMultiprocessor = 233472,
                HasMemoryPools = true,
            };
    }

    [Fact]
    public void DriverWithoutDevice_SaysWhichCallFailedAndHow()
    {
        var cuda = CudaDevices.Query(DriverStub.WithoutDevice());
        Assert.Empty(cuda.Devices);
        Assert.Equal(new Version(12, 4), cuda.DriverVersion);
        Assert.Equal(
            "CUDA driver 12.4, but no device: cuInit failed with CUDA_ERROR_NO_DEVICE (100): no CUDA-capable device " +
            "is detected. The driver sees no card: check nvidia-smi and CUDA_VISIBLE_DEVICES, or use --device cpu.",
            cuda.Unavailable);
    }

    [Fact]
    public void MissingDriver_SaysWhatWasTriedAndWhatToDo()
    {
        var cuda = CudaDevices.Query("/nowhere/libcuda.so.1");
        Assert.Empty(cuda.Devices);
        Assert.Null(cuda.DriverVersion);
        Assert.Equal(
            "No CUDA driver: tried /nowhere/libcuda.so.1. Use --device cpu, or set EFFICIENTAD_CUDA_DRIVER.",
            cuda.Unavailable);
    }

    [Fact]
    public void LibraryOfAnotherKind_IsNoDriver()
    {
        string other = OperatingSystem.IsWindows() ? "kernel32.dll"
            : OperatingSystem.IsMacOS() ? "libSystem.dylib" : "libc.so.6";
        var cuda = CudaDevices.Query(other);
        Assert.Equal($"{other} has no cuGetErrorString: it is too old, or another library.", cuda.Unavailable);
    }

    /// <summary>Whatever this machine has: devices, or a reason.</summary>
    [Fact]
    public void ThisMachine_HasDevicesOrAReason()
    {
        var cuda = CudaDevices.Query();
        Assert.NotEqual(cuda.Devices.Count == 0, cuda.Unavailable is null);
        Assert.All(cuda.Devices, device => Assert.NotEqual(0, device.MemoryBytes));
    }
}
