using PtxSimulator;
using PtxSimulator.Counting;
using PtxSimulator.Reports;

namespace EfficientAD.Tests.PtxSimulator.Reports;

/// <summary>Launches with counters chosen by hand.</summary>
internal static class Launches
{
    public static LaunchReport Report(string kernel = "k", int blocks = 84, int threads = 128) => new()
    {
        Kernel = kernel,
        Grid = new Extent(blocks),
        Block = new Extent(threads),
        SharedBytes = 0,
    };

    public static LaunchSummary Summary(LaunchReport report) => new(report);

    public static InstructionCount Instruction(InstructionClass kind, string text, long warps) =>
        new(new CodeLocation("k", 1, null, 0), text, kind, warps, 32 * warps);
}
