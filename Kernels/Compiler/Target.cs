namespace EfficientAD.Kernels.Compiler;

/// <summary>An architecture that PTX is made for. Newer GPUs run it too: the driver compiles it for them.</summary>
/// <param name="Name">As in the PTX's file name: sm_80.</param>
/// <param name="Virtual">What NVRTC calls it: compute_80.</param>
/// <param name="IsaVersions">PTX versions to try, lowest first: the lower, the older the driver may be.</param>
/// <param name="Assembled">The architectures that ptxas makes of it in the checks.</param>
internal sealed record Target(string Name, string Virtual, string[] IsaVersions, string[] Assembled)
{
    /// <summary>Files so named are for this target alone, and it for them: they use instructions that older GPUs, or
    /// all others, lack.</summary>
    public string? Suffix { get; init; }

    public static readonly Target[] All =
    [
        new("sm_75", "compute_75", ["6.3", "6.5", "7.0", "7.4", "7.8", "8.0", "8.4"], ["sm_75"]),
        new("sm_80", "compute_80", ["7.0", "7.4", "7.8", "8.0", "8.4"], ["sm_80", "sm_86", "sm_89", "sm_90"]),
        new("sm_89", "compute_89", ["8.4"], ["sm_89"]) { Suffix = "_fp8" },
        new("sm_90a", "compute_90a", ["8.0", "8.4"], ["sm_90a"]) { Suffix = "_hopper" },
    ];

    /// <summary>Whether a file is compiled for this target.</summary>
    public bool Takes(KernelSource source) => Suffix is null
        ? !All.Any(other => other.Suffix is { } suffix && source.Name.EndsWith(suffix, StringComparison.Ordinal))
        : source.Name.EndsWith(Suffix, StringComparison.Ordinal);
}
