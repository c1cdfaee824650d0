using System.Runtime.InteropServices;

namespace EfficientAD.Native.Driver;

internal sealed partial class CudaDriver
{
    /// <summary>The environment variable that names another library to load.</summary>
    public const string PathVariable = "EFFICIENTAD_CUDA_DRIVER";

    /// <summary>Loads the installed driver, or the library that <see cref="PathVariable"/> names.</summary>
    /// <exception cref="CudaException">There is none, or it lacks an entry point.</exception>
    public static CudaDriver Load() => Load(Environment.GetEnvironmentVariable(PathVariable));

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
                return new CudaDriver(
                    name => NativeLibrary.TryGetExport(library, name, out nint address) ? address : 0, candidate);
            }
        }
        throw new CudaException(
            $"No CUDA driver: tried {string.Join(", ", candidates)}. Use --device cpu, or set {PathVariable}.");
    }

    /// <summary>libcuda.so is for linking only; on Windows the full path keeps a planted library out.</summary>
    private static string[] InstalledDrivers() => OperatingSystem.IsWindows()
        ? [Path.Combine(Environment.SystemDirectory, "nvcuda.dll")]
        : ["libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1"];
}
