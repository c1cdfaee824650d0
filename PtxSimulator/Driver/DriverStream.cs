namespace PtxSimulator.Driver;

/// <summary>A queue of work that nothing but a synchronising call sets going.</summary>
/// <param name="context">Where it was created.</param>
/// <param name="isBlocking">Whether it keeps order with the legacy default stream.</param>
internal sealed class DriverStream(DriverContext context, bool isBlocking, int priority = 0)
{
    private readonly Queue<Work> _queue = new();

    public DriverContext Context => context;

    public bool IsBlocking => isBlocking;

    public int Priority => priority;

    public bool IsLegacy => context.LegacyStream == this;

    public long Executed { get; private set; }

    public StreamPosition End => new(this, Executed + _queue.Count);

    public bool IsIdle => _queue.Count == 0;

    public Work First => _queue.Peek();

    public bool IsDestroyed { get; set; }

    /// <summary>Not null while work is recorded instead of queued.</summary>
    public Capture? Capture { get; set; }

    /// <summary>Queues or, during capture, records.</summary>
    public void Add(Work work)
    {
        if (Capture is not null)
        {
            Capture.Add(this, work);
            return;
        }

        KeepLegacyOrder();
        _queue.Enqueue(work);
    }

    public void Synchronize() => End.Reach();

    public void RunFirst()
    {
        Work work = _queue.Dequeue();
        Executed++;
        context.Run(work);
    }

    /// <summary>A lost context does nothing more.</summary>
    public void Drop()
    {
        Executed += _queue.Count;
        _queue.Clear();
    }

    /// <summary>The legacy stream waits for all blocking streams, and they for it.</summary>
    private void KeepLegacyOrder()
    {
        if (IsLegacy)
        {
            context.RequireNoImplicitDependency();
            foreach (DriverStream other in context.Streams)
                if (other != this && other.IsBlocking && !other.IsIdle) _queue.Enqueue(Work.Wait(other.End));
        }
        else if (isBlocking && !context.LegacyStream.IsIdle)
        {
            _queue.Enqueue(Work.Wait(context.LegacyStream.End));
        }
    }
}
