using EfficientAD.Backends.Cuda;
using EfficientAD.Backends.Cuda.Fused;
using EfficientAD.Networks;
using PtxSimulator;
using PtxSimulator.Reports;

namespace EfficientAD.Cli.Runs;

/// <summary>A plan without one of its fusions.</summary>
/// <param name="Key">For programs.</param>
/// <param name="Name">What it does instead.</param>
internal sealed record AblationVariant(string Key, string Name, FusionOptions Options)
{
    private const int HopperCapability = 90;

    private static readonly FusionOptions Fused = new();

    /// <summary>The fused plan first, the one without any fusion last.</summary>
    public static IReadOnlyList<AblationVariant> All { get; } =
    [
        new("fused", "all fusions", Fused),
        new("preprocess", "preprocessing apart", Fused with { Preprocess = false }),
        new("first", "first layers apart, pool apart", Fused with { First = false }),
        new("pool", "second layer's pool apart", Fused with { Pool = false }),
        new("groups", "teacher and student apart", Fused with { Groups = false }),
        new("difference", "features in memory", Fused with { Difference = false }),
        new("autoencoder", "autoencoder layer by layer", Fused with { Autoencoder = false }),
        new("verdict", "verdict apart", Fused with { Verdict = false }),
        new("branches", "one branch", Fused with { Branches = false }),
        new("graph", "no graph", Fused with { Graph = false }),
        new("none", "none of these", new FusionOptions
        {
            Preprocess = false, First = false, Pool = false, Groups = false, Difference = false, Autoencoder = false,
            Verdict = false, Branches = false, Graph = false,
        }),
    ];

    /// <summary>Those that a card runs: on compute capability 9.0 also its own instructions, which are off unless asked
    /// for.</summary>
    public static IReadOnlyList<AblationVariant> For(Card card) => card.ComputeCapability == HopperCapability
        ? [.. All, new("hopper", "all fusions, wgmma and TMA", Fused with { Hopper = true })]
        : All;
}

/// <summary>What a variant does, counted by the simulator.</summary>
/// <param name="PredictedMicroseconds">From the counters and a card's datasheet; of two branches the longer one
/// counts.</param>
internal sealed record AblationRow(AblationVariant Variant, KernelReport Counted, double PredictedMicroseconds)
{
    private const int EventCalls = 4;  // the branch is forked and joined: two events, each recorded and waited for

    /// <summary>Calls of the driver that start a frame's work between its upload and its download.</summary>
    public int DriverCalls => Variant.Options is { Graph: true, Verdict: true }
        ? 1
        : Counted.Launches.Count + (Variant.Options.Branches ? EventCalls : 0);

    public static AblationRow Count(AblationVariant variant, PdnSize size, int side, Card card)
    {
        var device = new SimulatedDeviceOptions
        {
            ComputeCapability = card.ComputeCapability,
            Multiprocessors = card.Multiprocessors,
            Checks = Checks.None,
        };
        using SimulatedRun run = SimulatedRun.WithRandomWeights(
            size, side, trainable: false, CudaPrecision.Full, device);
        // One branch, so that launches come in the order in which they are given.
        IReadOnlyList<LaunchSummary> launches =
            run.DetectFused(variant.Options with { Branches = false }, out BranchLaunches branches);
        double[] times = [.. launches.Select(launch => PredictedTime.Of(launch, card).Microseconds)];
        double all = times.Sum(), beside = times.Skip(branches.Before).Take(branches.Autoencoder).Sum();
        double networks = times.Skip(branches.Before + branches.Autoencoder).Take(branches.Networks).Sum();
        return new AblationRow(
            variant, new KernelReport(variant.Name, launches),
            variant.Options.Branches ? all - Math.Min(beside, networks) : all);
    }
}
