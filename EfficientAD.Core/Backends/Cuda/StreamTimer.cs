using EfficientAD.Native;

namespace EfficientAD.Backends.Cuda;

/// <summary>Takes the device's time for work on a stream.</summary>
internal sealed class StreamTimer(CudaStream stream) : IDisposable
{
    // The first run loads kernels and fills caches; the median of the rest forgives an interruption.
    private const int WarmUps = 2, Runs = 7;

    private readonly CudaEvent _start = new(stream.Context, timing: true);
    private readonly CudaEvent _end = new(stream.Context, timing: true);

    /// <summary>The median of several runs, in milliseconds. Waits for the device.</summary>
    public double Milliseconds(Action work)
    {
        for (int i = 0; i < WarmUps; i++) work();
        Span<float> times = stackalloc float[Runs];
        foreach (ref float run in times)
        {
            _start.Record(stream);
            work();
            _end.Record(stream);
            _end.Synchronize();
            run = _end.MillisecondsSince(_start);
        }
        times.Sort();
        return times[Runs / 2];
    }

    public void Dispose()
    {
        _start.Dispose();
        _end.Dispose();
    }
}
