using PtxSimulator.Counting;
using PtxSimulator.Driver;

namespace PtxSimulator.Reports;

/// <summary>The launches of one kernel, or of a whole network, together.</summary>
/// <param name="Name">The kernel's name.</param>
public sealed record KernelReport(string Name, IReadOnlyList<LaunchSummary> Launches)
{
    private const int SectorBytes = 32;

    /// <summary>Instructions by warps.</summary>
    public long WarpInstructions => Launches.Sum(launch => launch.WarpInstructions);

    /// <summary>Multiply-adds by tensor cores.</summary>
    public long MmaMultiplyAdds => Launches.Sum(launch => launch.MmaMultiplyAdds);

    /// <summary>Multiply-adds by fma instructions of float32, half and double.</summary>
    public long FmaMultiplyAdds => Launches.Sum(launch => launch.FmaMultiplyAdds);

    /// <summary>Barriers that blocks passed.</summary>
    public long Barriers => Launches.Sum(launch => launch.Barriers);

    /// <summary>Loads and stores; sectors count as distinct within a launch, not between launches.</summary>
    public GlobalTraffic GlobalTraffic =>
        Launches.Aggregate(new GlobalTraffic(), (sum, launch) => sum + launch.GlobalLoads + launch.GlobalStores);

    /// <summary>Loads and stores.</summary>
    public SharedTraffic SharedTraffic =>
        Launches.Aggregate(new SharedTraffic(), (sum, launch) => sum + launch.SharedLoads + launch.SharedStores);

    /// <summary>Bytes that left the load and store units, in whole sectors.</summary>
    public long MovedBytes => GlobalTraffic.Sectors * SectorBytes;

    /// <summary>Bytes of the different sectors of each launch: the least that must move.</summary>
    public long CompulsoryBytes => GlobalTraffic.DistinctSectors * SectorBytes;

    /// <summary>Bytes that threads asked for, by bytes moved: 1 if every byte of a sector was wanted, above if several
    /// threads wanted the same; null without traffic.</summary>
    public double? Coalescing => GlobalTraffic is { Sectors: > 0 } traffic
        ? traffic.BytesAsked / (double)(traffic.Sectors * SectorBytes)
        : null;

    /// <summary>Passes over the banks of shared memory beyond those needed, by those needed; null without traffic.
    /// </summary>
    public double? BankConflicts => SharedTraffic is { IdealCycles: > 0 } traffic
        ? traffic.Cycles / (double)traffic.IdealCycles - 1
        : null;

    /// <summary>Instructions of a class by warps.</summary>
    public long CountOf(InstructionClass kind) => Launches.Sum(launch => launch.CountOf(kind));

    /// <summary>The predicted times of all launches together, in microseconds, and what bounds most of that time.
    /// </summary>
    public PredictedTime Predict(Card card)
    {
        PredictedTime[] times = [.. Launches.Select(launch => PredictedTime.Of(launch, card))];
        Resource bound = times.GroupBy(time => time.Bound)
            .MaxBy(group => group.Sum(time => time.Microseconds))?.Key ?? Resource.Launch;
        return new PredictedTime(times.Sum(time => time.Microseconds), bound);
    }

    /// <summary>Warps that a multiprocessor of the card holds at once, by those it could hold, for the largest launch;
    /// null for a kernel that the table of resources does not hold.</summary>
    public double? Occupancy(KernelResourceTable resources, Card card)
    {
        if (Launches.MaxBy(launch => launch.Grid.Count) is not { } launch) return null;
        if (resources.Registers(launch.Kernel, card.ComputeCapability) is not { } registers) return null;
        DeviceLimits limits = DeviceLimits.Of(card.ComputeCapability);
        int threads = (int)launch.Block.Count;
        int warps = (threads + DeviceLimits.WarpSize - 1) / DeviceLimits.WarpSize;
        int blocks = limits.BlocksThatFit(threads, registers, launch.SharedBytes);
        return blocks * warps * DeviceLimits.WarpSize / (double)limits.ThreadsPerMultiprocessor;
    }
}
