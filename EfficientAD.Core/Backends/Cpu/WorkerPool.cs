namespace EfficientAD.Backends.Cpu;

/// <summary>Threads that live as long as the backend and share the items of one loop at a time.</summary>
/// <remarks>Items are handed out through an atomic counter, so uneven items and a busy machine balance themselves. Waiting
/// threads spin a few microseconds before they sleep: a training step has some hundred loops. Not thread-safe.</remarks>
internal sealed class WorkerPool : IDisposable
{
    private const int SpinsBeforeSleep = 30;

    private readonly Thread[] _workers;
    private readonly ManualResetEventSlim _finished = new(false, SpinsBeforeSleep);
    private readonly SemaphoreSlim _start = new(0);
    private Action<int>? _body;
    private Exception? _failure;
    private int _items, _next, _running;
    private volatile bool _stopping;

    public WorkerPool(int threads)
    {
        Threads = threads;
        _workers = new Thread[threads - 1];
        for (int i = 0; i < _workers.Length; i++)
        {
            _workers[i] = new Thread(Work) { IsBackground = true, Name = $"EfficientAD worker {i + 1}" };
            _workers[i].Start();
        }
    }

    public int Threads { get; }

    /// <summary>Calls <paramref name="body"/> for 0 .. items - 1, in any order, on all threads; returns when all are done.</summary>
    public void Run(int items, Action<int> body)
    {
        if (_workers.Length == 0 || items <= 1)
        {
            for (int i = 0; i < items; i++) body(i);
            return;
        }

        int helpers = Math.Min(_workers.Length, items - 1);
        (_body, _items, _next, _running, _failure) = (body, items, 0, helpers, null);
        _finished.Reset();
        _start.Release(helpers);
        TakeItems();
        _finished.Wait();
        _body = null;
        if (_failure is { } failure) throw new AggregateException(failure);
    }

    private void Work()
    {
        while (true)
        {
            _start.Wait();
            if (_stopping) return;
            TakeItems();
            if (Interlocked.Decrement(ref _running) == 0) _finished.Set();
        }
    }

    private void TakeItems()
    {
        try
        {
            for (int i = Interlocked.Increment(ref _next) - 1; i < _items; i = Interlocked.Increment(ref _next) - 1)
                _body!(i);
        }
        catch (Exception failure)
        {
            Interlocked.CompareExchange(ref _failure, failure, null);
            Interlocked.Exchange(ref _next, int.MaxValue / 2);
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
