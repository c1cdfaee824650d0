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
    int Index, string Name, Version ComputeCapability, int Multiprocessors, long MemoryBytes)
{
    private const int MaximumNameLength = 256;

    /// <summary>Largest number of threads of a block of any kernel.</summary>
    public int MaximumThreadsPerBlock { get; init; }

    /// <summary>Most shared memory of a block, static and dynamic together, once a kernel asks for more than 48
    /// KiB.</summary>
    public int MaximumSharedBytesPerBlock { get; init; }

    /// <summary>Shared memory of one multiprocessor.</summary>
    public int SharedBytesPerMultiprocessor { get; init; }

    /// <summary>It shares the host's memory, as a Jetson does.</summary>
    public bool IsIntegrated { get; init; }

    /// <summary>Memory can be allocated and freed in a stream's order.</summary>
    public bool HasMemoryPools { get; init; }

    /// <param name="index">From 0; it must exist.</param>
    internal static unsafe CudaDevice Describe(CudaDriver driver, int index)
    {
        int device = HandleOf(driver, index);
        byte* name = stackalloc byte[MaximumNameLength];
        driver.ThrowIfFailed(driver.cuDeviceGetName(name, MaximumNameLength, device));
        nuint memory;
        driver.ThrowIfFailed(driver.cuDeviceTotalMem_v2(&memory, device));
        var capability = new Version(
            Attribute(DeviceAttribute.ComputeCapabilityMajor), Attribute(DeviceAttribute.ComputeCapabilityMinor));
        return new CudaDevice(
            index, Marshal.PtrToStringUTF8((nint)name)!, capability,
            Attribute(DeviceAttribute.MultiprocessorCount), checked((long)memory))
        {
            MaximumThreadsPerBlock = Attribute(DeviceAttribute.MaximumThreadsPerBlock),
            MaximumSharedBytesPerBlock = Attribute(DeviceAttribute.MaximumSharedBytesPerBlock),
            SharedBytesPerMultiprocessor = Attribute(DeviceAttribute.SharedBytesPerMultiprocessor),
            IsIntegrated = Attribute(DeviceAttribute.IsIntegrated) != 0,
            HasMemoryPools = driver.HasMemoryPools && Attribute(DeviceAttribute.HasMemoryPools) != 0,
        };

        int Attribute(DeviceAttribute attribute)
        {
            int value;
            driver.ThrowIfFailed(driver.cuDeviceGetAttribute(&value, attribute, device));
            return value;
        }
    }

    /// <summary>The driver's handle of a device, which need not be its number.</summary>
    internal static unsafe int HandleOf(CudaDriver driver, int index)
    {
        int device;
        driver.ThrowIfFailed(driver.cuDeviceGet(&device, index));
        return device;
    }
}
