using System.Runtime.InteropServices;
using EfficientAD.Native;
using EfficientAD.Native.Driver;

namespace EfficientAD.Tests.Native;

/// <summary>NVIDIA's own library: the system's, else the repository's (Kernels/fetch-compiler.sh fetches it). It need
/// not find a device.</summary>
public class InstalledDriverTests
{
    [Fact]
    public void EveryEntryPointExists()
    {
        string path = RequireLibrary();
        List<string> missing = [];
        nint library = NativeLibrary.Load(path);
        var driver = new CudaDriver(name =>
        {
            if (NativeLibrary.TryGetExport(library, name, out nint address)) return address;
            missing.Add(name);
            return 1;
        }, path);
        Assert.Empty(missing);
        Assert.True(driver.HasMemoryPools);
        Assert.True(driver.HasGraphs);
    }

    [Fact]
    public void DriverWithoutDevice_ReadsWell()
    {
        var cuda = CudaDevices.Query(RequireLibrary());
        Assert.SkipWhen(cuda.Devices.Count > 0, "This machine has a CUDA device.");
        Assert.NotNull(cuda.DriverVersion);
        Assert.Equal(
            $"CUDA driver {cuda.DriverVersion}, but no device: cuInit failed with CUDA_ERROR_NO_DEVICE (100): no " +
            "CUDA-capable device is detected. The driver sees no card: check nvidia-smi and CUDA_VISIBLE_DEVICES, or " +
            "use --device cpu.",
            cuda.Unavailable);
    }

    [Fact]
    public void OpeningWithoutDevice_SaysWhy()
    {
        CudaDriver driver = CudaDriver.Load(RequireLibrary());
        Assert.SkipWhen(CudaDevices.Query(driver).Devices.Count > 0, "This machine has a CUDA device.");
        var error = Assert.Throws<CudaException>(() => CudaContext.Open(driver));
        Assert.Equal(("cuInit", 100, "CUDA_ERROR_NO_DEVICE"), (error.Function, error.Code, error.Name));
        Assert.False(error.IsContextLost);
    }

    private static string RequireLibrary()
    {
        string name = OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1";
        if (NativeLibrary.TryLoad(name, out _)) return name;
        for (string? folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            string fetched = Path.Combine(folder, ".tools", "cuda", name);
            if (File.Exists(fetched)) return fetched;
        }
        Assert.Skip($"No {name} here: Kernels/fetch-compiler.sh fetches one that works without a device.");
        return name;
    }
}
