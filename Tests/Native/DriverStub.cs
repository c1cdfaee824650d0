using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using EfficientAD.Native.Driver;

namespace EfficientAD.Tests.Native;

/// <summary>Stands where libcuda stands: the same table, filled with functions of our own that only describe
/// devices.</summary>
internal static unsafe class DriverStub
{
    private const int NoDevice = 100, InvalidValue = 1, InvalidDevice = 101, NotSupported = 801;

    /// <summary>Handles differ from ordinals, as they may.</summary>
    private const int FirstHandle = 40;

    private static readonly byte* NoDeviceName = (byte*)Marshal.StringToCoTaskMemUTF8("CUDA_ERROR_NO_DEVICE");

    private static readonly byte* NoDeviceText =
        (byte*)Marshal.StringToCoTaskMemUTF8("no CUDA-capable device is detected");

    /// <summary>A driver that knows CUDA 12.4 and has two devices.</summary>
    public static CudaDriver WithTwoDevices() => new(name => name switch
    {
        nameof(CudaDriver.cuGetErrorName) => (nint)(delegate* unmanaged<int, byte**, int>)&GetErrorName,
        nameof(CudaDriver.cuGetErrorString) => (nint)(delegate* unmanaged<int, byte**, int>)&GetErrorString,
        nameof(CudaDriver.cuInit) => (nint)(delegate* unmanaged<uint, int>)&Init,
        nameof(CudaDriver.cuDriverGetVersion) => (nint)(delegate* unmanaged<int*, int>)&GetVersion,
        nameof(CudaDriver.cuDeviceGet) => (nint)(delegate* unmanaged<int*, int, int>)&GetDevice,
        nameof(CudaDriver.cuDeviceGetCount) => (nint)(delegate* unmanaged<int*, int>)&GetCountOfTwo,
        nameof(CudaDriver.cuDeviceGetName) => (nint)(delegate* unmanaged<byte*, int, int, int>)&GetName,
        nameof(CudaDriver.cuDeviceTotalMem_v2) => (nint)(delegate* unmanaged<nuint*, int, int>)&GetMemory,
        nameof(CudaDriver.cuDeviceGetAttribute) => (nint)(delegate* unmanaged<int*, int, int, int>)&GetAttribute,
        _ => Refusing,
    });

    /// <summary>As a machine has it whose driver is installed but whose card is not.</summary>
    public static CudaDriver WithoutDevice() => new(name => name switch
    {
        nameof(CudaDriver.cuGetErrorName) => (nint)(delegate* unmanaged<int, byte**, int>)&GetErrorName,
        nameof(CudaDriver.cuGetErrorString) => (nint)(delegate* unmanaged<int, byte**, int>)&GetErrorString,
        nameof(CudaDriver.cuDriverGetVersion) => (nint)(delegate* unmanaged<int*, int>)&GetVersion,
        nameof(CudaDriver.cuInit) => (nint)(delegate* unmanaged<uint, int>)&FailToInit,
        _ => Refusing,
    });

    /// <summary>Any function that these tests do not call.</summary>
    private static nint Refusing => (nint)(delegate* unmanaged<int>)&Refuse;

    [UnmanagedCallersOnly]
    private static int Refuse() => NotSupported;

    [UnmanagedCallersOnly]
    private static int GetErrorName(int error, byte** name)
    {
        *name = error == NoDevice ? NoDeviceName : null;
        return error == NoDevice ? 0 : InvalidValue;
    }

    [UnmanagedCallersOnly]
    private static int GetErrorString(int error, byte** text)
    {
        *text = error == NoDevice ? NoDeviceText : null;
        return error == NoDevice ? 0 : InvalidValue;
    }

    [UnmanagedCallersOnly]
    private static int Init(uint flags) => flags == 0 ? 0 : InvalidValue;

    [UnmanagedCallersOnly]
    private static int FailToInit(uint flags) => NoDevice;

    [UnmanagedCallersOnly]
    private static int GetVersion(int* version)
    {
        *version = 12040;
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int GetCountOfTwo(int* count)
    {
        *count = 2;
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int GetDevice(int* device, int ordinal)
    {
        *device = FirstHandle + ordinal;
        return ordinal is 0 or 1 ? 0 : InvalidDevice;
    }

    [UnmanagedCallersOnly]
    private static int GetName(byte* name, int length, int device)
    {
        byte[] text = Encoding.UTF8.GetBytes(device == FirstHandle ? "First card\0" : "Second card\0");
        text.CopyTo(new Span<byte>(name, length));
        return IsDevice(device);
    }

    [UnmanagedCallersOnly]
    private static int GetMemory(nuint* bytes, int device)
    {
        *bytes = (nuint)(device - FirstHandle + 1) << 33;
        return IsDevice(device);
    }

    [UnmanagedCallersOnly]
    private static int GetAttribute(int* value, int attribute, int device)
    {
        // Numbers as in cuda.h: a wrong one in the enumeration shows.
        *value = attribute switch
        {
            1 => 1024,              // MAX_THREADS_PER_BLOCK
            16 => 132,              // MULTIPROCESSOR_COUNT
            18 => 0,                // INTEGRATED
            75 => 9,                // COMPUTE_CAPABILITY_MAJOR
            76 => device - FirstHandle,
            81 => 233472,           // MAX_SHARED_MEMORY_PER_MULTIPROCESSOR
            97 => 232448,           // MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
            115 => 1,               // MEMORY_POOLS_SUPPORTED
            _ => -1,
        };
        return IsDevice(device);
    }

    private static int IsDevice(int handle) => handle is FirstHandle or FirstHandle + 1 ? 0 : InvalidDevice;
}
