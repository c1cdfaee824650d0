namespace EfficientAD.Kernels.Compiler;

/// <summary>The folder Kernels/: sources, and in ptx/ what was made of them.</summary>
internal sealed class KernelFolder(string path)
{
    private const string ResourceFile = "resources.json";

    /// <summary>So that two blocks of 128 threads, or one of 256, fit with room to spare.</summary>
    private const int FusedRegisters = 216;

    /// <summary>What the loops have, and a little: a change that makes one longer shall be noticed. The first layer's
    /// epilogue is part of its loop; the last layers have two sources of pixels; between mma of 8-bit floats ptxas puts
    /// NOPs.
    /// </summary>
    private static readonly Dictionary<string, double> FusedInstructionsPerMma = new()
    {
        ["fused_first"] = 4,
        ["fused_convolution"] = 2.35,
        ["fused_convolution_fp8"] = 3.2,
        ["fused_last"] = 2.7,
    };

    private readonly string _ptx = Path.Combine(path, "ptx"), _readme = Path.Combine(path, "README.md");

    public KernelSource[] Sources { get; } = KernelSource.ReadAll(path);

    /// <summary>Stores a build in place of the last one.</summary>
    /// <returns>The exit code: 1 if a kernel spills, or a fused one takes more than it may.</returns>
    public int Write(KernelBuild build)
    {
        Directory.CreateDirectory(_ptx);
        foreach (string stale in Directory.EnumerateFiles(_ptx, "*.ptx")) File.Delete(stale);
        foreach (var (file, text) in Made(build)) File.WriteAllText(Path.Combine(_ptx, file), text);
        File.WriteAllText(_readme, Readme(build));
        return Report(build);
    }

    /// <summary>Compares a build with what is stored.</summary>
    /// <returns>The exit code: 1 if they differ, if a kernel spills, or a fused one takes more than it may.</returns>
    public int Compare(KernelBuild build)
    {
        Dictionary<string, string> made = Made(build);
        string[] stored = [.. Directory.EnumerateFiles(_ptx).Select(file => Path.GetFileName(file))];
        string[] different =
        [
            .. stored.Except(made.Keys).Select(file => $"ptx/{file} (has no source)"),
            .. made.Where(file => ReadOrEmpty(Path.Combine(_ptx, file.Key)) != file.Value)
                .Select(file => $"ptx/{file.Key}"),
            .. ReadOrEmpty(_readme) == Readme(build) ? Array.Empty<string>() : ["README.md"],
        ];
        foreach (string file in different)
            Console.Error.WriteLine($"Kernels/{file} is not what the sources give: run build.ps1 kernels.");
        return different.Length > 0 ? 1 : Report(build);
    }

    /// <summary>Compares the hashes that the stored texts carry with the sources.</summary>
    /// <returns>The exit code: 1 if a text is stale or missing.</returns>
    public int CompareHashes()
    {
        string[] stale = [.. Sources.Where(source =>
        {
            string[] texts = [.. Directory.EnumerateFiles(_ptx, source.Name + ".sm_*.ptx").Select(ReadOrEmpty)];
            return texts.Length == 0 || texts.Any(text => Compiler.Ptx.SourceHash(text) != source.Hash);
        }).Select(source => source.Name)];
        foreach (string name in stale)
            Console.Error.WriteLine($"Kernels/ptx/{name}.*.ptx is older than its sources: run build.ps1 kernels.");
        return stale.Length > 0 ? 1 : 0;
    }

    private static Dictionary<string, string> Made(KernelBuild build) =>
        new(build.Ptx) { [ResourceFile] = ResourceTable.Json(build.Resources) };

    private string Readme(KernelBuild build) =>
        ResourceTable.Insert(ReadOrEmpty(_readme), ResourceTable.Markdown(build.Resources));

    private static int Report(KernelBuild build)
    {
        Console.Write(ResourceTable.Markdown(build.Resources));
        KernelResources[] spilling = [.. build.Resources.Where(kernel => kernel.SpillBytes > 0)];
        foreach (KernelResources kernel in spilling)
        {
            Console.Error.WriteLine(
                $"{kernel.Kernel} spills {kernel.SpillBytes} bytes on {kernel.Architecture}: use smaller tiles.");
        }

        KernelResources[] costly = [.. build.Resources.Where(IsCostly)];
        foreach (KernelResources kernel in costly)
        {
            Console.Error.WriteLine(
                $"{kernel.Kernel} takes {kernel.Registers} registers and {kernel.InstructionsPerMma} instructions " +
                $"per mma on {kernel.Architecture}; {FusedRegisters} and {LimitOf(kernel)} are allowed.");
        }

        return spilling.Length + costly.Length > 0 ? 1 : 0;
    }

    private static bool IsCostly(KernelResources kernel) =>
        LimitOf(kernel) is { } most
        && (kernel.Registers > FusedRegisters || kernel.InstructionsPerMma > most);

    /// <summary>Of the file, or of the one that does the same with halves; null where there is none.</summary>
    private static double? LimitOf(KernelResources kernel)
    {
        string halves =
            kernel.File.Replace("_int8", "", StringComparison.Ordinal).Replace("_fp8", "", StringComparison.Ordinal);
        return FusedInstructionsPerMma.TryGetValue(kernel.File, out double own) ? own
            : FusedInstructionsPerMma.TryGetValue(halves, out double most) ? most
            : null;
    }

    /// <summary>Line ends as in the repository, whatever the checkout made of them.</summary>
    private static string ReadOrEmpty(string file) =>
        File.Exists(file) ? File.ReadAllText(file).ReplaceLineEndings("\n") : "";
}
