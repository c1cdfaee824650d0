using System.Security.Cryptography;
using EfficientAD.Backends.Cuda.Fused;
using EfficientAD.Native;

namespace EfficientAD.Backends.Cuda;

/// <summary>The kernels that this assembly carries as PTX, for one context. A file is given to the driver when its
/// first kernel is asked for.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class KernelLibrary(CudaContext context) : IDisposable
{
    /// <summary>Each with the compute capability it needs, the best first.</summary>
    private static readonly (string Name, Version Needs)[] Targets =
    [
        ("sm_90a", new Version(9, 0)), ("sm_89", new Version(8, 9)), ("sm_80", new Version(8, 0)),
        ("sm_75", new Version(7, 5)),
    ];

    private readonly Dictionary<string, CudaModule> _modules = [];
    private readonly Dictionary<string, CudaKernel> _kernels = [];

    /// <summary>Measures which tiles are fastest; null where a model decides.</summary>
    public FusedTuner? Tuner { get; init; }

    /// <summary>The best of the targets that the assembly carries and the device runs; null where it is too
    /// old.</summary>
    public static string? TargetOf(CudaDevice device)
    {
        string[] resources = typeof(KernelLibrary).Assembly.GetManifestResourceNames();
        return Targets
            .Where(target => Runs(target, device.ComputeCapability))
            .Select(target => target.Name)
            .FirstOrDefault(name => resources.Any(file => file.EndsWith($".{name}.ptx", StringComparison.Ordinal)));
    }

    /// <exception cref="NotSupportedException">The device is too old.</exception>
    public static void RequireSupport(CudaDevice device)
    {
        Version oldest = Targets[^1].Needs;
        if (device.ComputeCapability < oldest)
        {
            throw new NotSupportedException(
                $"{device.Name} has compute capability {device.ComputeCapability}; the kernels need {oldest} " +
                "(Turing) or newer. Use --device cpu.");
        }
    }

    /// <summary>Tells versions of kernels apart: 16 digits of the SHA-256 of all PTX whose file begins so.</summary>
    public static string HashOf(string file)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        string[] resources = typeof(KernelLibrary).Assembly.GetManifestResourceNames();
        foreach (string resource in resources.Order(StringComparer.Ordinal))
        {
            if (!resource.StartsWith($"ptx/{file}", StringComparison.Ordinal)) continue;
            hash.AppendData(Read(resource)!);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }

    /// <summary>What Kernels/ptx holds under a name, such as ptx/add.sm_80.ptx; null where it holds nothing so
    /// named.</summary>
    public static byte[]? Read(string resource)
    {
        using Stream? stream = typeof(KernelLibrary).Assembly.GetManifestResourceStream(resource);
        if (stream is null) return null;
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Finds a kernel; allocates nothing but at the first call for it.</summary>
    /// <param name="file">Name of the .cu file without its extension.</param>
    /// <param name="name">Name of the kernel, unique over all files.</param>
    /// <exception cref="InvalidOperationException">The assembly lacks the file.</exception>
    /// <exception cref="CudaException">The driver does not take the file.</exception>
    public CudaKernel Get(string file, string name)
    {
        if (_kernels.TryGetValue(name, out CudaKernel? kernel)) return kernel;
        if (!_modules.TryGetValue(file, out CudaModule? module)) module = _modules[file] = Load(file);
        return _kernels[name] = module.GetKernel(name);
    }

    public void Dispose()
    {
        foreach (CudaModule module in _modules.Values) module.Dispose();
    }

    private CudaModule Load(string file)
    {
        Version capability = context.Device.ComputeCapability;
        foreach ((string Name, Version Needs) target in Targets)
        {
            string resource = $"ptx/{file}.{target.Name}.ptx";
            if (Runs(target, capability) && Read(resource) is { } ptx) return new CudaModule(context, ptx, resource);
        }

        throw new InvalidOperationException(
            $"This assembly carries no {file}.cu for compute capability {capability}. Run Kernels/Compiler and build.");
    }

    /// <summary>PTX runs on every newer device, but for an architecture-specific target (sm_90a), which only 9.0
    /// has.</summary>
    private static bool Runs((string Name, Version Needs) target, Version capability) =>
        target.Name.EndsWith('a') ? capability == target.Needs : capability >= target.Needs;
}
