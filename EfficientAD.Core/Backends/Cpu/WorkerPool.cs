namespace EfficientAD.Backends.Cpu;

/// <summary>Threads that live as long as the backend and share the items of one loop at a time.</summary>
/// <remarks>Items are handed out one by one, so uneven items and a busy machine balance themselves, and nobody waits
/// for a thread that the system has not woken yet. Waiting threads spin a few microseconds before they sleep: a
/// training step has some hundred loops. Not thread-safe.</remarks>
internal sealed class WorkerPool : IDisposable
{
    private const int SpinsBeforeSleep = 30;

    private readonly Thread[] _workers;
    private readonly ManualResetEventSlim _finished = new(false, SpinsBeforeSleep);
    private readonly SemaphoreSlim _start = new(0);
    private Action<int, int>? _body;
    private Exception? _failure;
    private int _items, _unfinished;

    // High half: which loop; low half: items that nobody has taken. One word, so that a thread woken late takes nothing
    // from the next loop by mistake.
    private long _untaken;
    private volatile bool _stopping;

    public WorkerPool(int threads)
    {
        Threads = threads;
        _workers = new Thread[threads - 1];
        for (int i = 0; i < _workers.Length; i++)
        {
            int worker = i + 1;
            _workers[i] = new Thread(() => Work(worker)) { IsBackground = true, Name = $"EfficientAD worker {worker}" };
            _workers[i].Start();
        }
    }

    public int Threads { get; }

    /// <summary>Calls <paramref name="body"/> for 0 .. items - 1, in any order, on all threads; returns when all are
    /// done.</summary>
    public void Run(int items, Action<int> body) => Run(items, (item, _) => body(item));

    /// <summary>The same, and tells <paramref name="body"/> which of the <see cref="Threads"/> calls it, from
    /// 0.</summary>
    public void Run(int items, Action<int, int> body)
    {
        if (_workers.Length == 0 || items <= 1)
        {
            for (int i = 0; i < items; i++) body(i, 0);
            return;
        }

        (_body, _items, _unfinished, _failure) = (body, items, items, null);
        _finished.Reset();
        long loop = (Volatile.Read(ref _untaken) >> 32) + 1;
        Volatile.Write(ref _untaken, (loop << 32) | (uint)items);
        _start.Release(Math.Min(_workers.Length, items - 1));
        TakeItems(0);
        _finished.Wait();
        _body = null;
        if (_failure is { } failure) throw new AggregateException(failure);
    }

    private void Work(int worker)
    {
        while (true)
        {
            _start.Wait();
            if (_stopping) return;
            TakeItems(worker);
        }
    }

    private void TakeItems(int worker)
    {
        while (true)
        {
            long untaken = Volatile.Read(ref _untaken);
            if ((uint)untaken == 0) return;
            if (Interlocked.CompareExchange(ref _untaken, untaken - 1, untaken) != untaken) continue;
            // The loop cannot end before this item is done: its other fields stand still.
            try
            {
                if (_failure is null) _body!(_items - (int)(uint)untaken, worker);
            }
            catch (Exception failure)
            {
                Interlocked.CompareExchange(ref _failure, failure, null);
            }

            if (Interlocked.Decrement(ref _unfinished) == 0) _finished.Set();
        }
    }

    public void Dispose()
    {
        _stopping = true;
        if (_workers.Length > 0) _start.Release(_workers.Length);
        foreach (Thread worker in _workers) worker.Join();
        _start.Dispose();
        _finished.Dispose();
    }
}
