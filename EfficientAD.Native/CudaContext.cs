using System.Runtime.InteropServices;
using EfficientAD.Native.Driver;

namespace EfficientAD.Native;

/// <summary>Where device memory, modules and streams live: a device's primary context, or one that another library
/// made.</summary>
/// <remarks>Whatever is created in a context keeps it alive: the order of disposal does not matter. Thread-safe. No
/// call of this library needs the context to be current; each enters it by itself and leaves the thread as it
/// was.</remarks>
public sealed unsafe partial class CudaContext : SafeHandle
{
    private readonly int _device;
    private readonly bool _isForeign;

    private CudaContext(CudaDriver driver, nint context, int device, CudaDevice description, bool isForeign)
        : base(0, ownsHandle: true)
    {
        (Driver, _device, Device, _isForeign) = (driver, device, description, isForeign);
        SetHandle(context);
        if (description.HasMemoryPools) Pool = CreatePool(driver, device);
    }

    /// <summary>The device it belongs to.</summary>
    public CudaDevice Device { get; }

    /// <summary>The newest CUDA version that the driver knows.</summary>
    public Version DriverVersion => CudaDevices.VersionOf(Driver);

    /// <summary>CUcontext.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    public nint Handle
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return handle;
        }
    }

    public override bool IsInvalid => handle == 0;

    internal CudaDriver Driver { get; }

    /// <summary>CUmemoryPool; 0 where the device has none.</summary>
    internal nint Pool { get; }

    /// <summary>Retains the primary context of a device, the one that CUDA's runtime and most libraries
    /// share.</summary>
    /// <param name="device">The driver's number, from 0.</param>
    /// <exception cref="CudaException">There is no driver, no such device, or no memory left on it.</exception>
    public static CudaContext Open(int device = 0) => Open(CudaDriver.Load(), device);

    /// <summary>Works in a context that another library made, and never destroys it.</summary>
    /// <param name="context">CUcontext; it must outlive what is created in it.</param>
    /// <exception cref="CudaException">It is no context of this process.</exception>
    public static CudaContext FromHandle(nint context) => FromHandle(CudaDriver.Load(), context);

    internal static CudaContext Open(CudaDriver driver, int device = 0)
    {
        int count = CudaDevices.CountOf(driver);
        if ((uint)device >= (uint)count)
        {
            throw new CudaException(
                $"cuda:{device} does not exist: the driver has {count} devices, numbered from 0. " +
                "See 'efficientad devices'.");
        }
        CudaDevice description = CudaDevice.Describe(driver, device);
        int deviceHandle = CudaDevice.HandleOf(driver, device);
        nint context;
        driver.ThrowIfFailed(driver.cuDevicePrimaryCtxRetain(&context, deviceHandle));
        return new CudaContext(driver, context, deviceHandle, description, isForeign: false);
    }

    internal static CudaContext FromHandle(CudaDriver driver, nint context)
    {
        ArgumentOutOfRangeException.ThrowIfZero(context);
        int count = CudaDevices.CountOf(driver);
        int device = DeviceOf(driver, context);
        int index = Enumerable.Range(0, count).First(i => CudaDevice.HandleOf(driver, i) == device);
        return new CudaContext(driver, context, device, CudaDevice.Describe(driver, index), isForeign: true);
    }

    /// <summary>Makes the context current on this thread until the scope is disposed. Needed only around calls of other
    /// libraries; around many calls of this one it saves a few nanoseconds each.</summary>
    public Scope Enter() => new(Driver, Handle);

    /// <summary>Waits for all work in the context, whoever gave it.</summary>
    /// <exception cref="CudaException">Some of it failed.</exception>
    public void Synchronize()
    {
        using Scope scope = Enter();
        Driver.ThrowIfFailed(Driver.cuCtxSynchronize());
    }

    /// <summary>The device memory that nobody has allocated at the moment.</summary>
    public long QueryFreeBytes()
    {
        using Scope scope = Enter();
        nuint free, total;
        Driver.ThrowIfFailed(Driver.cuMemGetInfo_v2(&free, &total));
        return checked((long)free);
    }

    /// <summary>Throws unless kernels of this context may read what lies there.</summary>
    /// <param name="address">CUdeviceptr, as another library handed it over.</param>
    /// <exception cref="ArgumentException">It is host memory that CUDA does not know, or nothing at all.</exception>
    public void RequireDeviceMemory(nint address)
    {
        using Scope scope = Enter();
        ulong type;
        if (Driver.cuPointerGetAttribute(&type, PointerAttribute.MemoryType, address) == CudaResult.Success) return;
        throw new ArgumentException(
            $"0x{address:x} is no address on a CUDA device. Pass a CUdeviceptr.", nameof(address));
    }

    /// <summary>As <see cref="Enter"/>, also once the context was disposed and only lives on for what is in
    /// it.</summary>
    internal Scope EnterToRelease() => new(Driver, handle);

    protected override bool ReleaseHandle()
    {
        bool isReleased = Pool == 0 || Driver.cuMemPoolDestroy(Pool) == CudaResult.Success;
        return (_isForeign || Driver.cuDevicePrimaryCtxRelease_v2(_device) == CudaResult.Success) && isReleased;
    }

    private static int DeviceOf(CudaDriver driver, nint context)
    {
        using var scope = new Scope(driver, context);
        int device;
        driver.ThrowIfFailed(driver.cuCtxGetDevice(&device));
        return device;
    }

    /// <summary>A pool of our own, so that the application's default pool keeps its settings. Freed memory stays in it:
    /// the next step of the same size then costs no call of the operating system.</summary>
    private static nint CreatePool(CudaDriver driver, int device)
    {
        var properties = new PoolProperties(device);
        nint pool;
        driver.ThrowIfFailed(driver.cuMemPoolCreate(&pool, &properties));
        ulong keepAll = ulong.MaxValue;
        driver.ThrowIfFailed(driver.cuMemPoolSetAttribute(pool, PoolAttribute.ReleaseThreshold, &keepAll));
        return pool;
    }
}
