using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace EfficientAD.Kernels.Compiler;

/// <summary>What one kernel needs of one architecture.</summary>
/// <param name="StackBytes">Local memory per thread that is no spill: arrays indexed by variables.</param>
/// <param name="SpillBytes">Registers that did not fit, stores and loads together; a fast kernel has none.</param>
internal sealed record KernelResources(
    string File, string Kernel, string Architecture, int Registers, int StaticSharedBytes, int StackBytes,
    int SpillBytes)
{
    /// <summary>Of a kernel on tensor cores: machine instructions of its innermost loop, by mma.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? InstructionsPerMma { get; init; }
}

/// <summary>NVIDIA's assembler: what a driver accepts, and what a kernel needs, without a GPU.</summary>
internal sealed partial class Ptxas(CompilerFolder folder)
{
    /// <summary>Assembles a text and throws the result away.</summary>
    /// <param name="log">What the assembler said: resources, or why not.</param>
    public bool Accepts(string ptx, string architecture, out string log) =>
        Assemble(ptx, architecture, OperatingSystem.IsWindows() ? "NUL" : "/dev/null", out log);

    private bool Assemble(string ptx, string architecture, string cubin, out string log)
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, ptx);
            var start =
                new ProcessStartInfo(folder.Ptxas) { RedirectStandardError = true, RedirectStandardOutput = true };
            foreach (string argument in (string[])["-v", $"-arch={architecture}", "-o", cubin, path])
                start.ArgumentList.Add(argument);
            using var process = Process.Start(start)!;
            Task<string> output = process.StandardOutput.ReadToEndAsync();
            log = process.StandardError.ReadToEnd() + output.Result;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <exception cref="InvalidDataException">The assembler refuses the text.</exception>
    public IReadOnlyList<KernelResources> Resources(string file, string ptx, string architecture)
    {
        string cubin = Path.GetTempFileName();
        try
        {
            if (!Assemble(ptx, architecture, cubin, out string log))
                throw new InvalidDataException($"ptxas refuses {file} for {architecture}:\n{log}");
            IReadOnlyDictionary<string, MainLoop> loops = ptx.Contains("mma.sync", StringComparison.Ordinal)
                ? MainLoop.ReadAll(cubin, folder)
                : new Dictionary<string, MainLoop>();
            return [.. Report().Matches(log).Select(match => new KernelResources(
                file, match.Groups["kernel"].Value, architecture, Number(match, "registers"), Number(match, "shared"),
                Number(match, "stack"), Number(match, "stores") + Number(match, "loads"))
            {
                InstructionsPerMma = loops.TryGetValue(match.Groups["kernel"].Value, out MainLoop? loop)
                    ? Math.Round(loop.InstructionsPerProduct, 2)
                    : null,
            })];
        }
        finally
        {
            File.Delete(cubin);
        }
    }

    private static int Number(Match match, string group) =>
        match.Groups[group].Success ? int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture) : 0;

    [GeneratedRegex(
        @"Compiling entry function '(?<kernel>\w+)'.*?(?<stack>\d+) bytes stack frame, " +
        @"(?<stores>\d+) bytes spill stores, (?<loads>\d+) bytes spill loads.*?" +
        @"Used (?<registers>\d+) registers(?:[^\n]*?(?<shared>\d+) bytes smem)?",
        RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex Report();
}
