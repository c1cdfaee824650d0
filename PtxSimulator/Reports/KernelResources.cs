using System.Globalization;
using System.Text.Json;

namespace PtxSimulator.Reports;

/// <summary>What ptxas found one kernel to need on one architecture.</summary>
/// <param name="Architecture">sm_86, for instance.</param>
/// <param name="Registers">Per thread.</param>
/// <param name="StaticSharedBytes">Per block.</param>
/// <param name="StackBytes">Local memory per thread that is no spill.</param>
/// <param name="SpillBytes">Loads and stores of spilled registers per thread.</param>
public sealed record KernelResources(
    string File, string Kernel, string Architecture, int Registers, int StaticSharedBytes, int StackBytes,
    int SpillBytes)
{
    /// <summary>Times ten: 90 for sm_90a.</summary>
    internal int ComputeCapability { get; } = int.Parse(
        Architecture.AsSpan("sm_".Length).TrimEnd("abcdefghijklmnopqrstuvwxyz"), CultureInfo.InvariantCulture);
}

/// <summary>The table that the kernels' compiler writes as JSON.</summary>
public sealed class KernelResourceTable
{
    private KernelResourceTable(IReadOnlyList<KernelResources> entries) => Entries = entries;

    public static KernelResourceTable Empty { get; } = new([]);

    public IReadOnlyList<KernelResources> Entries { get; }

    /// <exception cref="JsonException">The text is no such table.</exception>
    public static KernelResourceTable Parse(ReadOnlySpan<byte> json)
    {
        using JsonDocument document = JsonDocument.Parse(json.ToArray());
        return new KernelResourceTable([.. document.RootElement.EnumerateArray().Select(Read)]);

        static KernelResources Read(JsonElement entry) => new(
            Text(entry, "file"), Text(entry, "kernel"), Text(entry, "architecture"), Number(entry, "registers"),
            Number(entry, "static_shared_bytes"), Number(entry, "stack_bytes"), Number(entry, "spill_bytes"));

        static string Text(JsonElement entry, string name) => entry.GetProperty(name).GetString()!;

        static int Number(JsonElement entry, string name) => entry.GetProperty(name).GetInt32();
    }

    /// <summary>Registers per thread; null for a kernel that the table does not hold.</summary>
    /// <param name="computeCapability">Times ten.</param>
    public int? Registers(string kernel, int computeCapability) => Find(kernel, computeCapability)?.Registers;

    /// <summary>What a kernel needs of an architecture or, if that was not assembled, of the nearest older
    /// one.</summary>
    /// <inheritdoc cref="Registers"/>
    public KernelResources? Find(string kernel, int computeCapability) => Entries
        .Where(entry => entry.Kernel == kernel && entry.ComputeCapability <= computeCapability)
        .MaxBy(entry => entry.ComputeCapability);
}
