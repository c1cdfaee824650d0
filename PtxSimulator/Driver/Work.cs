namespace PtxSimulator.Driver;

internal enum WorkKind
{
    Kernel,
    CopyFromHost,
    CopyToHost,
    CopyOnDevice,
    Fill,
    HostFunction,
    Free,
    Order,
    Graph,
}

/// <summary>Something that a stream does, later.</summary>
/// <param name="Kind">What kind it is: a graph is only updated kind by kind.</param>
/// <param name="Label">Names it in a diagnosis and in a graph's picture.</param>
/// <param name="Run">Does it, with the device's lock held; throws <see cref="SimulationException"/> if it
/// faults.</param>
internal sealed record Work(WorkKind Kind, string Label, Action Run)
{
    /// <summary>What other streams must have done before.</summary>
    public StreamPosition? After { get; init; }

    public static Work Wait(StreamPosition position) =>
        new(WorkKind.Order, "wait", static () => { }) { After = position };
}

/// <summary>The first <paramref name="Count"/> works that a stream was ever given.</summary>
internal readonly record struct StreamPosition(DriverStream Stream, long Count)
{
    public bool IsReached => Stream.Executed >= Count;

    /// <summary>Does what is needed to get here and nothing else: what no order demands stays undone, so that a missing
    /// synchronisation shows.</summary>
    /// <exception cref="DriverException">A work faulted; the context is lost.</exception>
    public void Reach()
    {
        var goals = new Stack<StreamPosition>([this]);
        while (goals.TryPeek(out StreamPosition goal))
        {
            if (goal.IsReached) goals.Pop();
            else if (goal.Stream.First.After is { IsReached: false } other) goals.Push(other);
            else goal.Stream.RunFirst();
        }
    }

    /// <summary>Does one work on the way here, if one is left.</summary>
    public DriverError Advance()
    {
        if (IsReached) return DriverError.Success;
        DriverStream stream = Stream;
        while (stream.First.After is { IsReached: false } other) stream = other.Stream;
        stream.RunFirst();
        return DriverError.NotReady;
    }
}
