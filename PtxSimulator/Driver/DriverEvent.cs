namespace PtxSimulator.Driver;

/// <summary>A place in a stream, or in a capture.</summary>
internal sealed class DriverEvent(DriverContext context, bool hasTiming)
{
    public DriverContext Context => context;

    public bool HasTiming => hasTiming;

    /// <summary>Where it was last recorded; null before, which counts as reached.</summary>
    public StreamPosition? Position { get; private set; }

    /// <summary>The nodes it was recorded after while a stream was captured, and by which capture.</summary>
    public (Capture Capture, IReadOnlyList<GraphNode> Nodes)? Captured { get; private set; }

    /// <summary>The device's clock when the stream got here, in nanoseconds.</summary>
    public long Time { get; private set; }

    public void Record(DriverStream stream)
    {
        if (stream.Capture is { } capture)
        {
            Captured = (capture, capture.Frontier(stream));
            return;
        }

        Captured = null;
        stream.Add(new Work(WorkKind.Order, "event", () => Time = context.Device.Clock));
        Position = stream.End;
    }

    /// <summary>Later work of the stream comes after this event, or after its place in a capture.</summary>
    /// <exception cref="DriverException">That would mix a capture with work outside it, or with another capture.
    /// </exception>
    public void LetWait(DriverStream stream)
    {
        if (Captured is var (capture, nodes))
        {
            if (capture.HasEnded)
                throw new DriverException(DriverError.InvalidValue, "the event belongs to a capture that has ended.");
            if (stream.Capture is { } other && other != capture)
            {
                other.Invalidate();
                capture.Invalidate();
                throw new DriverException(DriverError.StreamCaptureMerge, "the event belongs to another capture.");
            }

            capture.Join(stream, nodes);
        }
        else if (stream.Capture is { } own)
        {
            own.Invalidate();
            throw new DriverException(
                DriverError.StreamCaptureIsolation, "the event was recorded outside the capture.");
        }
        else if (Position is { IsReached: false } position)
        {
            stream.Add(Work.Wait(position));
        }
    }

    /// <exception cref="DriverException">It was last recorded in a capture.</exception>
    public void RequireNotCaptured()
    {
        if (Captured is not var (capture, _)) return;
        capture.Invalidate();
        throw new DriverException(DriverError.CapturedEvent, "the event was last recorded in a capturing stream.");
    }
}
