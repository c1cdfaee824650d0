using PtxSimulator.Counting;

namespace PtxSimulator.Reports;

/// <summary>A launch's counters without its instructions, so that a whole training can be kept.</summary>
public sealed record LaunchSummary
{
    private readonly long[] _byClass;

    public LaunchSummary(LaunchReport report)
    {
        (Kernel, Grid, Block, SharedBytes) = (report.Kernel, report.Grid, report.Block, report.SharedBytes);
        (GlobalLoads, GlobalStores) = (report.GlobalLoads, report.GlobalStores);
        (SharedLoads, SharedStores) = (report.SharedLoads, report.SharedStores);
        (MmaMultiplyAdds, FmaMultiplyAdds) = (report.MmaMultiplyAdds, report.FmaMultiplyAdds);
        Barriers = report.Barriers;
        _byClass = new long[Enum.GetValues<InstructionClass>().Length];
        foreach (InstructionCount instruction in report.Instructions)
            _byClass[(int)instruction.Class] += instruction.Warps;
    }

    public string Kernel { get; }

    public Extent Grid { get; }

    public Extent Block { get; }

    /// <summary>Shared memory per block, static and dynamic, in bytes.</summary>
    public int SharedBytes { get; }

    public GlobalTraffic GlobalLoads { get; }

    public GlobalTraffic GlobalStores { get; }

    public SharedTraffic SharedLoads { get; }

    public SharedTraffic SharedStores { get; }

    public long MmaMultiplyAdds { get; }

    public long FmaMultiplyAdds { get; }

    public long Barriers { get; }

    /// <summary>Instructions by warps, all classes.</summary>
    public long WarpInstructions => _byClass.Sum();

    /// <summary>Instructions of a class by warps.</summary>
    public long CountOf(InstructionClass kind) => _byClass[(int)kind];
}
