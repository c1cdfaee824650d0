using PtxSimulator.Reports;

namespace EfficientAD.Cli.Output;

/// <summary>What kernels did on the simulator, for people.</summary>
internal static class NetworkTable
{
    /// <param name="title">What ran.</param>
    public static void Write(
        CommandOutput output, string title, NetworkReport report, KernelResourceTable resources, Card card)
    {
        output.WriteLine($"{title}, on a simulated {card.Name}.");
        output.WriteLine(
            "Counted by a simulator on the CPU; no GPU took part. Times are predicted: for each launch the longest " +
            $"of what it needs of the card's datasheet rates, and {PredictedTime.LaunchMicroseconds:0} us to start " +
            "it.");
        output.WriteLine();
        foreach (string line in ReportTable.Write(report, resources, card).TrimEnd().Split('\n'))
            output.WriteLine(line);
    }
}
