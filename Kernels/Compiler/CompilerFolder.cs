namespace EfficientAD.Kernels.Compiler;

/// <summary>Where NVRTC, ptxas and nvdisasm lie: what <c>fetch-compiler.sh</c> brought, or a CUDA toolkit.</summary>
/// <param name="Nvrtc">libnvrtc.</param>
/// <param name="Builtins">The library that NVRTC looks up by its name alone, so that it must be loaded before.</param>
/// <param name="Ptxas">The assembler.</param>
/// <param name="Nvdisasm">The disassembler.</param>
internal sealed record CompilerFolder(string Nvrtc, string Builtins, string Ptxas, string Nvdisasm)
{
    /// <summary>The first of the fetched folder and CUDA_PATH that holds all four.</summary>
    /// <exception cref="FileNotFoundException">Neither does.</exception>
    public static CompilerFolder Find(string repository)
    {
        string[] roots =
            [Path.Combine(repository, ".tools", "cuda"), Environment.GetEnvironmentVariable("CUDA_PATH") ?? ""];
        foreach (string root in roots.Where(Directory.Exists))
        {
            string? nvrtc = First(root, "libnvrtc.so.1?", "nvrtc64_1*_0.dll");
            string? builtins = First(root, "libnvrtc-builtins.so.1?.?", "nvrtc-builtins64_1*.dll");
            string? ptxas = First(root, "ptxas", "ptxas.exe");
            string? nvdisasm = First(root, "nvdisasm", "nvdisasm.exe");
            if (nvrtc is not null && builtins is not null && ptxas is not null && nvdisasm is not null)
                return new(nvrtc, builtins, ptxas, nvdisasm);
        }

        throw new FileNotFoundException(
            $"No NVRTC, ptxas and nvdisasm in {string.Join(" or ", roots.Where(root => root != ""))}. " +
            "Run Kernels/fetch-compiler.sh (Debian, Ubuntu), or install NVIDIA's CUDA toolkit and set CUDA_PATH.");
    }

    private static string? First(string root, params string[] patterns)
    {
        string[] folders =
            [root, Path.Combine(root, "lib64"), Path.Combine(root, "bin"), Path.Combine(root, "bin", "x64")];
        return folders.Where(Directory.Exists)
            .SelectMany(folder => patterns.SelectMany(pattern => Directory.EnumerateFiles(folder, pattern)))
            .Order(StringComparer.Ordinal).FirstOrDefault();
    }
}
