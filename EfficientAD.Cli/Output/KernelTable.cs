using System.Globalization;
using PtxSimulator.Reports;

namespace EfficientAD.Cli.Output;

/// <summary>What each kernel needs, for people: registers by architecture, then the worst of all
/// architectures.</summary>
internal static class KernelTable
{
    public static void Write(CommandOutput output, KernelResourceTable resources)
    {
        string[] architectures =
            [.. resources.Entries.Select(entry => entry.Architecture).Distinct().Order(StringComparer.Ordinal)];
        output.WriteLine(
            "Registers per thread by architecture, shared memory per block, spills per thread, as ptxas found them.");
        int width = resources.Entries.Max(entry => entry.Kernel.Length);
        output.WriteLine(Line("kernel", architectures, "shared B", "spilled B"));
        foreach (var kernel in resources.Entries.GroupBy(entry => entry.Kernel))
        {
            var registers = kernel.ToDictionary(entry => entry.Architecture, entry => entry.Registers);
            output.WriteLine(Line(
                kernel.Key,
                architectures.Select(each => registers.TryGetValue(each, out int count) ? Number(count) : "-"),
                Number(kernel.Max(entry => entry.StaticSharedBytes)), Number(kernel.Max(entry => entry.SpillBytes))));
        }

        string Line(string name, IEnumerable<string> registers, string shared, string spills) =>
            name.PadRight(width) + string.Concat(registers.Select(each => each.PadLeft(8))) +
            shared.PadLeft(10) + spills.PadLeft(11);
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
