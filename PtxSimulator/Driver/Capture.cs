namespace PtxSimulator.Driver;

/// <summary>CUstreamCaptureMode: which calls a capture forbids.</summary>
internal enum CaptureMode
{
    /// <summary>Potentially unsafe calls of every thread. Here: that use the same device.</summary>
    Global,

    /// <summary>Those of the thread that began it.</summary>
    ThreadLocal,

    Relaxed,
}

/// <summary>A work in a graph.</summary>
/// <param name="Index">Position in the order of recording; every dependency has a lower one.</param>
internal sealed record GraphNode(int Index, Work Work, IReadOnlyList<GraphNode> Dependencies);

/// <summary>What streams were told between begin and end of a capture.</summary>
/// <param name="origin">The stream that must end it.</param>
internal sealed class Capture(DriverStream origin, CaptureMode mode)
{
    private static long _count;

    [ThreadStatic]
    private static CaptureMode _threadMode;

    private readonly List<GraphNode> _nodes = [];
    private readonly Dictionary<DriverStream, IReadOnlyList<GraphNode>> _frontiers = new() { [origin] = [] };
    private readonly int _thread = Environment.CurrentManagedThreadId;

    public long Identity { get; } = Interlocked.Increment(ref _count);

    public DriverStream Origin => origin;

    public bool IsInvalidated { get; private set; }

    public bool HasEnded { get; private set; }

    /// <summary>What potentially unsafe calls of this thread respect.</summary>
    public static CaptureMode ThreadMode { get => _threadMode; set => _threadMode = value; }

    /// <exception cref="DriverException">The stream is captured already, or can't be.</exception>
    public static void Begin(DriverStream stream, CaptureMode mode)
    {
        if (stream.IsLegacy)
            throw new DriverException(DriverError.StreamCaptureUnsupported, "the legacy stream cannot be captured.");
        if (stream.Capture is not null)
            throw new DriverException(DriverError.IllegalState, "the stream is captured already.");
        stream.Capture = new Capture(stream, mode);
        stream.Context.Captures.Add(stream.Capture);
    }

    /// <exception cref="DriverException">The capture went wrong; it is over all the same.</exception>
    public static CapturedGraph End(DriverStream stream)
    {
        if (stream.Capture is not { } capture)
            throw new DriverException(DriverError.IllegalState, "the stream is not captured.");
        return capture.EndAt(stream);
    }

    /// <summary>Called by what cannot be done safely while somebody captures.</summary>
    /// <exception cref="DriverException">Somebody does.</exception>
    public static void RequireNone(DriverContext context, string function)
    {
        if (ThreadMode == CaptureMode.Relaxed) return;
        int thread = Environment.CurrentManagedThreadId;
        if (context.Captures.Find(capture => capture.Forbids(thread)) is not { } capture) return;
        capture.Invalidate();
        throw new DriverException(DriverError.StreamCaptureUnsupported, $"{function} while a stream is captured.");
    }

    /// <exception cref="DriverException">The stream is captured.</exception>
    public static void RequireNotCaptured(DriverStream stream, string function)
    {
        if (stream.Capture is not { } capture) return;
        capture.Invalidate();
        throw new DriverException(DriverError.StreamCaptureUnsupported, $"{function} of a stream that is captured.");
    }

    public void Invalidate() => IsInvalidated = true;

    /// <summary>The nodes that the stream's next work comes after.</summary>
    public IReadOnlyList<GraphNode> Frontier(DriverStream stream) => _frontiers[stream];

    public void Add(DriverStream stream, Work work)
    {
        RequireValid();
        var node = new GraphNode(_nodes.Count, work, _frontiers[stream]);
        _nodes.Add(node);
        _frontiers[stream] = [node];
    }

    /// <summary>A stream waits for an event of this capture; if it was not captured, it is from now on.</summary>
    public void Join(DriverStream stream, IReadOnlyList<GraphNode> nodes)
    {
        RequireValid();
        if (stream.IsLegacy)
            throw new DriverException(DriverError.StreamCaptureImplicit, "the legacy stream joins a capture.");
        stream.Capture = this;
        _frontiers[stream] = [.. _frontiers.GetValueOrDefault(stream, []).Union(nodes)];
    }

    /// <exception cref="DriverException">The capture was spoilt before.</exception>
    public void RequireValid()
    {
        if (IsInvalidated)
            throw new DriverException(DriverError.StreamCaptureInvalidated, "an earlier call spoilt the capture.");
    }

    private bool Forbids(int thread) => mode switch
    {
        CaptureMode.Global => ThreadMode == CaptureMode.Global || thread == _thread,
        CaptureMode.ThreadLocal => thread == _thread,
        _ => false,
    };

    private CapturedGraph EndAt(DriverStream stream)
    {
        if (mode != CaptureMode.Relaxed && Environment.CurrentManagedThreadId != _thread)
        {
            throw new DriverException(DriverError.StreamCaptureWrongThread,
                "the capture was begun by another thread; only mode RELAXED lets any thread end it.");
        }

        if (stream != origin)
        {
            Invalidate();
            throw new DriverException(DriverError.StreamCaptureUnmatched, "the capture was begun on another stream.");
        }

        HasEnded = true;
        foreach (DriverStream member in _frontiers.Keys) member.Capture = null;
        stream.Context.Captures.Remove(this);
        RequireValid();
        RequireJoined();
        return new CapturedGraph(stream.Context, _nodes);
    }

    /// <summary>The origin must have waited, directly or not, for all that other streams were given.</summary>
    private void RequireJoined()
    {
        var joined = new HashSet<GraphNode>(ReferenceEqualityComparer.Instance);
        var open = new Stack<GraphNode>(_frontiers[origin]);
        while (open.TryPop(out GraphNode? node))
        {
            if (!joined.Add(node)) continue;
            foreach (GraphNode dependency in node.Dependencies) open.Push(dependency);
        }

        if (_nodes.Find(node => !joined.Contains(node)) is { } lost)
        {
            throw new DriverException(DriverError.StreamCaptureUnjoined,
                $"the capturing stream never waited for '{lost.Work.Label}' of another stream.");
        }
    }
}
