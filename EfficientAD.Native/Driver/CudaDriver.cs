using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace EfficientAD.Native.Driver;

/// <summary>The entry points of libcuda that we call, named and ordered as in cuda.h.</summary>
internal readonly unsafe struct CudaDriver
{
    /// <summary>The environment variable that names another library to load.</summary>
    public const string PathVariable = "EFFICIENTAD_CUDA_DRIVER";

    public readonly delegate* unmanaged<CudaResult, byte**, CudaResult> cuGetErrorName;
    public readonly delegate* unmanaged<uint, CudaResult> cuInit;
    public readonly delegate* unmanaged<int*, CudaResult> cuDriverGetVersion;
    public readonly delegate* unmanaged<int*, int, CudaResult> cuDeviceGet;
    public readonly delegate* unmanaged<int*, CudaResult> cuDeviceGetCount;
    public readonly delegate* unmanaged<byte*, int, int, CudaResult> cuDeviceGetName;
    public readonly delegate* unmanaged<nuint*, int, CudaResult> cuDeviceTotalMem_v2;
    public readonly delegate* unmanaged<int*, DeviceAttribute, int, CudaResult> cuDeviceGetAttribute;

    /// <param name="export">The address of an entry point; it throws where there is none.</param>
    public CudaDriver(Func<string, nint> export)
    {
        cuGetErrorName = (delegate* unmanaged<CudaResult, byte**, CudaResult>)export(nameof(cuGetErrorName));
        cuInit = (delegate* unmanaged<uint, CudaResult>)export(nameof(cuInit));
        cuDriverGetVersion = (delegate* unmanaged<int*, CudaResult>)export(nameof(cuDriverGetVersion));
        cuDeviceGet = (delegate* unmanaged<int*, int, CudaResult>)export(nameof(cuDeviceGet));
        cuDeviceGetCount = (delegate* unmanaged<int*, CudaResult>)export(nameof(cuDeviceGetCount));
        cuDeviceGetName = (delegate* unmanaged<byte*, int, int, CudaResult>)export(nameof(cuDeviceGetName));
        cuDeviceTotalMem_v2 = (delegate* unmanaged<nuint*, int, CudaResult>)export(nameof(cuDeviceTotalMem_v2));
        cuDeviceGetAttribute =
            (delegate* unmanaged<int*, DeviceAttribute, int, CudaResult>)export(nameof(cuDeviceGetAttribute));
    }

    /// <summary>Loads the installed driver. It is never unloaded: it keeps threads of its own.</summary>
    /// <param name="path">The library to load instead, or null.</param>
    /// <exception cref="CudaException">There is none, or it lacks an entry point.</exception>
    public static CudaDriver Load(string? path)
    {
        string[] candidates = string.IsNullOrEmpty(path) ? InstalledDrivers() : [path];
        foreach (string candidate in candidates)
        {
            if (NativeLibrary.TryLoad(candidate, out nint library))
            {
                return new CudaDriver(name => NativeLibrary.TryGetExport(library, name, out nint address)
                    ? address
                    : throw new CudaException($"{candidate} has no {name}: it is too old, or no CUDA driver."));
            }
        }
        throw new CudaException(
            $"No CUDA driver: tried {string.Join(", ", candidates)}. Use --device cpu, or set {PathVariable}.");
    }

    /// <param name="call">Names the native function in the message.</param>
    /// <exception cref="CudaException">The call did not succeed.</exception>
    public void ThrowIfFailed(CudaResult result, [CallerArgumentExpression(nameof(result))] string call = "")
    {
        if (result == CudaResult.Success) return;
        byte* text;
        bool isKnown = cuGetErrorName(result, &text) == CudaResult.Success;
        string name = isKnown ? Marshal.PtrToStringUTF8((nint)text)! : "an unknown error";
        string function = call[(call.IndexOf('.') + 1)..call.IndexOf('(')];
        throw new CudaException($"{function} failed with {name} ({(int)result}).");
    }

    /// <summary>libcuda.so is for linking only; on Windows the full path keeps a planted library out.</summary>
    private static string[] InstalledDrivers() => OperatingSystem.IsWindows()
        ? [Path.Combine(Environment.SystemDirectory, "nvcuda.dll")]
        : ["libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1"];
}
