namespace PtxSimulator.Reports;

/// <summary>The launches of a device, in the order in which they ran.</summary>
internal sealed class LaunchLog
{
    private readonly List<LaunchSummary> _launches = [];

    public void Add(LaunchSummary launch) => _launches.Add(launch);

    public IReadOnlyList<LaunchSummary> Snapshot() => [.. _launches];

    public void Clear() => _launches.Clear();
}
