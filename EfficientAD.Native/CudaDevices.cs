using EfficientAD.Native.Driver;

namespace EfficientAD.Native;

/// <summary>What the machine's CUDA driver offers.</summary>
/// <param name="Devices">Empty where there are none.</param>
/// <param name="DriverVersion">The newest CUDA version that the driver knows; null without a driver.</param>
/// <param name="Unavailable">Why there are no devices; null where there are.</param>
public sealed record CudaDevices(IReadOnlyList<CudaDevice> Devices, Version? DriverVersion, string? Unavailable)
{
    /// <summary>Asks the driver, or the library that EFFICIENTAD_CUDA_DRIVER names. Throws nothing for what is
    /// missing.</summary>
    public static CudaDevices Query() => Query(Environment.GetEnvironmentVariable(CudaDriver.PathVariable));

    internal static CudaDevices Query(string? driverPath)
    {
        try
        {
            return Query(CudaDriver.Load(driverPath));
        }
        catch (CudaException e)
        {
            return new CudaDevices([], null, e.Message);
        }
    }

    internal static CudaDevices Query(CudaDriver driver)
    {
        Version version = VersionOf(driver);
        try
        {
            int count = CountOf(driver);
            CudaDevice[] devices = [.. Enumerable.Range(0, count).Select(index => CudaDevice.Describe(driver, index))];
            return new CudaDevices(devices, version, count > 0 ? null : $"CUDA driver {version}, but no device.");
        }
        catch (CudaException e)
        {
            return new CudaDevices([], version, $"CUDA driver {version}, but no device: {e.Message}");
        }
    }

    /// <summary>The newest CUDA version that the driver knows.</summary>
    internal static unsafe Version VersionOf(CudaDriver driver)
    {
        int number;
        driver.ThrowIfFailed(driver.cuDriverGetVersion(&number));
        return new Version(number / 1000, number % 1000 / 10);
    }

    /// <summary>Starts the driver if nobody has, and counts its devices.</summary>
    internal static unsafe int CountOf(CudaDriver driver)
    {
        driver.ThrowIfFailed(driver.cuInit(0));
        int count;
        driver.ThrowIfFailed(driver.cuDeviceGetCount(&count));
        return count;
    }
}
