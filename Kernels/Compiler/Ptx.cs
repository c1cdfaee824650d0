using System.Text.RegularExpressions;

namespace EfficientAD.Kernels.Compiler;

/// <summary>The text that is committed and embedded: NVRTC's, for the oldest driver that can take it.</summary>
internal static partial class Ptx
{
    /// <summary>Compiles a file for a target.</summary>
    /// <returns>Null where the file has no kernel for this target (all are guarded by __CUDA_ARCH__).</returns>
    public static string? Make(KernelSource source, Target target, Nvrtc nvrtc, Ptxas ptxas)
    {
        string[] options = [$"--gpu-architecture={target.Virtual}", "--std=c++17", "-lineinfo", "-default-device"];
        string ptx = nvrtc.Compile(source.Name + ".cu", source.Text, source.Headers, options);
        if (!ptx.Contains(".entry", StringComparison.Ordinal)) return null;
        string header =
            $"// Made by 'build.ps1 kernels' from {source.Name}.cu; do not edit.\n" +
            $"// Compiler: NVRTC {nvrtc.Version}\n{SourceMark}{source.Hash}\n\n";
        return header + LowerVersion(Strip(ptx), source.Name, target, ptxas);
    }

    public const string SourceMark = "// Source: SHA-256 ";

    /// <summary>The hash of the sources that a text was made from; empty where it says none.</summary>
    public static string SourceHash(string ptx) => HashLine().Match(ptx).Groups["hash"].Value;

    /// <summary>NVRTC writes its own version's number, and only drivers as new would take it.</summary>
    private static string LowerVersion(string ptx, string name, Target target, Ptxas ptxas)
    {
        string log = "";
        foreach (string version in target.IsaVersions)
        {
            string lowered = VersionLine().Replace(ptx, $".version {version}", 1);
            if (ptxas.Accepts(lowered, target.Assembled[0], out log)) return lowered;
        }

        throw new InvalidDataException(
            $"ptxas refuses {name}.cu for {target.Name} at every PTX version up to {target.IsaVersions[^1]}:\n{log}");
    }

    /// <summary>Leaves out the comments at the top, and of the line information what needs PTX 7.2: the names of
    /// inlined functions. File, line and column stay, but of a file only its name: NVRTC puts the folder it works in
    /// before it.</summary>
    private static string Strip(string ptx)
    {
        ptx = ptx[ptx.IndexOf(".version", StringComparison.Ordinal)..];
        ptx = FileFolder().Replace(InlinedAt().Replace(ptx, ""), "");
        return DebugStrings().Replace(ptx, "").ReplaceLineEndings("\n").TrimEnd('\n', ' ', '\t') + "\n";
    }

    [GeneratedRegex(@"^// Source: SHA-256 (?<hash>[0-9a-f]{64})$", RegexOptions.Multiline)]
    private static partial Regex HashLine();

    [GeneratedRegex(@"^\.version \d+\.\d+", RegexOptions.Multiline)]
    private static partial Regex VersionLine();

    [GeneratedRegex(@"(?<=^\s*\.loc\s+\d+ \d+ \d+), function_name [^\n]*", RegexOptions.Multiline)]
    private static partial Regex InlinedAt();

    [GeneratedRegex(@"(?<=^\s*\.file\s+\d+ "")[^""\n]*[/\\](?=[^/\\""\n]+"")", RegexOptions.Multiline)]
    private static partial Regex FileFolder();

    [GeneratedRegex(@"^\s*\.section\s+\.debug_str\s*\{.*?^\s*\}\s*$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex DebugStrings();
}
