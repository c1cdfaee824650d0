using System.Globalization;
using System.Text.RegularExpressions;
using PtxSimulator.Counting;

namespace PtxSimulator.Reports;

/// <summary>A launch's counters without its instructions, so that those of a whole training can be kept.</summary>
public sealed partial record LaunchSummary
{
    private readonly long[] _byClass = new long[Enum.GetValues<InstructionClass>().Length];

    public LaunchSummary(LaunchReport report)
    {
        (Kernel, Grid, Block, SharedBytes) = (report.Kernel, report.Grid, report.Block, report.SharedBytes);
        (GlobalLoads, GlobalStores) = (report.GlobalLoads, report.GlobalStores);
        (SharedLoads, SharedStores) = (report.SharedLoads, report.SharedStores);
        (MmaMultiplyAdds, FmaMultiplyAdds) = (report.MmaMultiplyAdds, report.FmaMultiplyAdds);
        Barriers = report.Barriers;
        foreach (InstructionCount instruction in report.Instructions)
        {
            _byClass[(int)instruction.Class] += instruction.Warps;
            if (instruction.Class != InstructionClass.Mma) continue;
            long work = instruction.Warps * MultiplyAdds(instruction.Text);
            if (instruction.Text.Contains(".tf32", StringComparison.Ordinal)) Tf32MultiplyAdds += work;
            if (instruction.Text.Contains("k32.", StringComparison.Ordinal)) ByteMultiplyAdds += work;
        }
    }

    public string Kernel { get; }

    /// <summary>In blocks.</summary>
    public Extent Grid { get; }

    /// <summary>In threads.</summary>
    public Extent Block { get; }

    /// <summary>Shared memory per block, static and dynamic, in bytes.</summary>
    public int SharedBytes { get; }

    public GlobalTraffic GlobalLoads { get; }

    public GlobalTraffic GlobalStores { get; }

    public SharedTraffic SharedLoads { get; }

    public SharedTraffic SharedStores { get; }

    /// <summary>By tensor-core instructions of any type.</summary>
    public long MmaMultiplyAdds { get; }

    /// <summary>Those of <see cref="MmaMultiplyAdds"/> that take TF32.</summary>
    public long Tf32MultiplyAdds { get; }

    /// <summary>Those that take numbers of 8 bits.</summary>
    public long ByteMultiplyAdds { get; }

    /// <summary>By fma instructions of float32, half and double.</summary>
    public long FmaMultiplyAdds { get; }

    /// <summary>Barriers that blocks passed.</summary>
    public long Barriers { get; }

    /// <summary>Instructions by warps, all classes.</summary>
    public long WarpInstructions => _byClass.Sum();

    /// <summary>Instructions of a class by warps.</summary>
    public long CountOf(InstructionClass kind) => _byClass[(int)kind];

    /// <summary>m * n * k of an instruction such as mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32.</summary>
    private static long MultiplyAdds(string text)
    {
        Match shape = Shape().Match(text);
        return shape.Groups.Values.Skip(1).Aggregate(1L, (product, extent) =>
            product * (extent.Success ? int.Parse(extent.ValueSpan, CultureInfo.InvariantCulture) : 0));
    }

    [GeneratedRegex(@"\.m(\d+)n(\d+)k(\d+)", RegexOptions.CultureInvariant)]
    private static partial Regex Shape();
}
