using PtxSimulator.Counting;
using PtxSimulator.Reports;
using static EfficientAD.Tests.PtxSimulator.Reports.Launches;

namespace EfficientAD.Tests.PtxSimulator.Reports;

public class NetworkReportTests
{
    private static readonly Card Card = Card.Find("a6000")!;

    private static NetworkReport Report => new(
    [
        Summary(Launches.Report("first") with
        {
            Instructions =
            [
                Instruction(InstructionClass.Integer, "add.s32", 5), Instruction(InstructionClass.Move, "mov.b32", 7),
            ],
            GlobalLoads = new GlobalTraffic(2, 128, 8, 4),
            GlobalStores = new GlobalTraffic(1, 64, 2, 2),
            SharedLoads = new SharedTraffic(2, 256, 6, 2),
            SharedStores = new SharedTraffic(2, 256, 2, 2),
            FmaMultiplyAdds = 10,
            Barriers = 3,
        }),
        Summary(Launches.Report("second", blocks: 1, threads: 64)),
        Summary(Launches.Report("first") with { FmaMultiplyAdds = 20, Barriers = 1 }),
    ]);

    [Fact]
    public void Launches_AreSummedByKernel()
    {
        NetworkReport report = Report;
        Assert.Equal(["first", "second"], report.Kernels.Select(kernel => kernel.Name));
        KernelReport first = report.Kernels[0];
        Assert.Equal(
            (2, 12, 30, 4), (first.Launches.Count, first.WarpInstructions, first.FmaMultiplyAdds, first.Barriers));
        Assert.Equal((5, 7), (first.CountOf(InstructionClass.Integer), first.CountOf(InstructionClass.Move)));
        Assert.Equal((320, 192), (first.MovedBytes, first.CompulsoryBytes));
        Assert.Equal(192 / 320.0, first.Coalescing!.Value, 1e-12);
        Assert.Equal(8 / 4.0 - 1, first.BankConflicts!.Value, 1e-12);
        Assert.Equal((null, null), (report.Kernels[1].Coalescing, report.Kernels[1].BankConflicts));
        Assert.Equal((3, 30), (report.Total.Launches.Count, report.Total.FmaMultiplyAdds));
        Assert.Equal(
            report.Kernels.Sum(kernel => kernel.Predict(Card).Microseconds), report.Total.Predict(Card).Microseconds,
            1e-9);
    }

    [Fact]
    public void Table_HasARowForEachKernelAndTheirSum()
    {
        string[] lines = ReportTable.Write(Report, KernelResourceTable.Empty, Card).Split('\n');
        Assert.Equal(5, lines.Length);
        Assert.Contains("us predicted", lines[0]);
        Assert.Equal(["first", "second", "all"], lines[1..4].Select(line => line.Split(' ')[0]));
        Assert.Contains("60 %", lines[1]);
        Assert.Contains("100 %", lines[1]);
        Assert.EndsWith("6.0  launch", lines[3]);
        Assert.Equal("", lines[4]);
    }

    /// <summary>Against NVIDIA's occupancy calculator: registers are given to warps in steps of 256, warps in fours.
    /// </summary>
    [Theory]
    [InlineData("sm_86", "a6000", 128, 210, 8 / 48.0)]
    [InlineData("sm_86", "a6000", 128, 32, 1.0)]
    [InlineData("sm_86", "a6000", 1024, 32, 32 / 48.0)]
    [InlineData("sm_90", "h100", 256, 64, 0.5)]
    [InlineData("sm_86", "orin", 128, 210, 8 / 48.0)]
    public void Occupancy_FollowsRegistersAndThreads(
        string architecture, string card, int threads, int registers, double expected)
    {
        KernelResourceTable table = Table(architecture, registers);
        var kernel = new KernelReport("k", [Summary(Launches.Report("k", threads: threads))]);
        Assert.Equal(expected, kernel.Occupancy(table, Card.Find(card)!)!.Value, 1e-12);
        Assert.Null(new KernelReport("other", [Summary(Launches.Report("other"))]).Occupancy(table, Card));
    }

    /// <summary>2 blocks of 40 KiB and 1 KiB of the system's fit into 100 KiB.</summary>
    [Fact]
    public void Occupancy_FollowsSharedMemory()
    {
        var kernel = new KernelReport(
            "k", [Summary(Launches.Report("k", threads: 96) with { SharedBytes = 40 << 10 })]);
        Assert.Equal(6 / 48.0, kernel.Occupancy(Table("sm_86", 32), Card)!.Value, 1e-12);
    }

    private static KernelResourceTable Table(string architecture, int registers) => KernelResourceTable.Parse(
        System.Text.Encoding.UTF8.GetBytes(
            $$"""
            [{"file":"f","kernel":"k","architecture":"sm_75","registers":255,
              "static_shared_bytes":0,"stack_bytes":0,"spill_bytes":0},
             {"file":"f","kernel":"k","architecture":"{{architecture}}","registers":{{registers}},
              "static_shared_bytes":0,"stack_bytes":0,"spill_bytes":0}]
            """));
}
