using System.Runtime.InteropServices;
using EfficientAD.Native.Driver;

namespace EfficientAD.Native;

/// <summary>One CUDA device.</summary>
/// <param name="Index">The driver's number for it, from 0.</param>
/// <param name="Name">The product's name.</param>
/// <param name="ComputeCapability">8.6, for instance.</param>
/// <param name="Multiprocessors">Number of streaming multiprocessors.</param>
/// <param name="MemoryBytes">All of its memory, whether in use or not.</param>
public sealed record CudaDevice(
    int Index, string Name, Version ComputeCapability, int Multiprocessors, long MemoryBytes);

/// <summary>What the machine's CUDA driver offers.</summary>
/// <param name="Devices">Empty where there are none.</param>
/// <param name="DriverVersion">The newest CUDA version that the driver knows; null without a driver.</param>
/// <param name="Unavailable">Why there are no devices; null where there are.</param>
public sealed record CudaDevices(IReadOnlyList<CudaDevice> Devices, Version? DriverVersion, string? Unavailable)
{
    private const int MaximumNameLength = 256;

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

    internal static unsafe CudaDevices Query(CudaDriver driver)
    {
        int number;
        driver.ThrowIfFailed(driver.cuDriverGetVersion(&number));
        var version = new Version(number / 1000, number % 1000 / 10);
        try
        {
            driver.ThrowIfFailed(driver.cuInit(0));
            int count;
            driver.ThrowIfFailed(driver.cuDeviceGetCount(&count));
            CudaDevice[] devices = [.. Enumerable.Range(0, count).Select(index => Describe(driver, index))];
            return new CudaDevices(devices, version, count > 0 ? null : $"CUDA driver {version}, but no device.");
        }
        catch (CudaException e)
        {
            return new CudaDevices([], version, $"CUDA driver {version}, but no device: {e.Message}");
        }
    }

    private static unsafe CudaDevice Describe(CudaDriver driver, int index)
    {
        int device;
        driver.ThrowIfFailed(driver.cuDeviceGet(&device, index));
        byte* name = stackalloc byte[MaximumNameLength];
        driver.ThrowIfFailed(driver.cuDeviceGetName(name, MaximumNameLength, device));
        nuint memory;
        driver.ThrowIfFailed(driver.cuDeviceTotalMem_v2(&memory, device));
        var capability = new Version(
            Attribute(driver, device, DeviceAttribute.ComputeCapabilityMajor),
            Attribute(driver, device, DeviceAttribute.ComputeCapabilityMinor));
        int multiprocessors = Attribute(driver, device, DeviceAttribute.MultiprocessorCount);
        return new CudaDevice(
            index, Marshal.PtrToStringUTF8((nint)name)!, capability, multiprocessors, checked((long)memory));
    }

    private static unsafe int Attribute(CudaDriver driver, int device, DeviceAttribute attribute)
    {
        int value;
        driver.ThrowIfFailed(driver.cuDeviceGetAttribute(&value, attribute, device));
        return value;
    }
}
