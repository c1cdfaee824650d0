using System.Globalization;
using System.Text;
using System.Text.Json;

namespace EfficientAD.Kernels.Compiler;

/// <summary>What every kernel needs, as a table for readers and as JSON for the occupancy that the simulator
/// reports.</summary>
internal static class ResourceTable
{
    private static readonly JsonSerializerOptions Names =
        new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private const string Begin = "<!-- resources: made by build.ps1 kernels -->", End = "<!-- /resources -->";

    /// <summary>One line per kernel and architecture.</summary>
    public static string Json(IEnumerable<KernelResources> resources) =>
        $"[\n{string.Join(",\n", resources.Select(kernel => JsonSerializer.Serialize(kernel, Names)))}\n]\n";

    /// <summary>One row per kernel: registers on each architecture, then the worst of the rest.</summary>
    public static string Markdown(IReadOnlyList<KernelResources> resources)
    {
        string[] architectures =
            [.. resources.Select(kernel => kernel.Architecture).Distinct().Order(StringComparer.Ordinal)];
        var table = new StringBuilder(
            $"| kernel | {string.Join(" | ", architectures)} | static shared | stack | spills " +
            "| instructions / mma |\n");
        table.Append("|---|").Insert(table.Length, "---:|", architectures.Length + 4).Append('\n');
        var kernels = resources.GroupBy(kernel => kernel.Kernel).OrderBy(group => group.Key, StringComparer.Ordinal);
        foreach (var kernel in kernels)
        {
            Dictionary<string, int> found = kernel.ToDictionary(entry => entry.Architecture, entry => entry.Registers);
            var registers = architectures.Select(architecture =>
                found.TryGetValue(architecture, out int count) ? count.ToString(CultureInfo.InvariantCulture) : "-");
            double? perMma = kernel.Max(entry => entry.InstructionsPerMma);
            table.Append(CultureInfo.InvariantCulture,
                $"| {kernel.Key} | {string.Join(" | ", registers)} | {kernel.Max(entry => entry.StaticSharedBytes)} " +
                $"| {kernel.Max(entry => entry.StackBytes)} | {kernel.Max(entry => entry.SpillBytes)} " +
                $"| {perMma?.ToString("0.00", CultureInfo.InvariantCulture) ?? "-"} |\n");
        }

        return table.ToString();
    }

    /// <summary>Replaces the table in a page; all else stays.</summary>
    /// <exception cref="InvalidDataException">The page has no place for it.</exception>
    public static string Insert(string page, string table)
    {
        int begin = page.IndexOf(Begin, StringComparison.Ordinal), end = page.IndexOf(End, StringComparison.Ordinal);
        if (begin < 0 || end < begin)
            throw new InvalidDataException($"Kernels/README.md lacks the lines {Begin} and {End}.");
        return $"{page[..begin]}{Begin}\n{table}{page[end..]}";
    }
}
