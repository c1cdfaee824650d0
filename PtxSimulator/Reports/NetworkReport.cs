namespace PtxSimulator.Reports;

/// <summary>What a sequence of launches did, kernel by kernel. Counted by the simulator, not measured on a
/// GPU.</summary>
public sealed class NetworkReport
{
    public NetworkReport(IReadOnlyList<LaunchSummary> launches)
    {
        Total = new KernelReport("all", launches);
        Kernels =
        [
            .. launches.GroupBy(launch => launch.Kernel).Select(group => new KernelReport(group.Key, [.. group])),
        ];
    }

    /// <summary>In the order of their first launch.</summary>
    public IReadOnlyList<KernelReport> Kernels { get; }

    public KernelReport Total { get; }
}
