namespace EfficientAD.Native;

/// <summary>Pinned buffers that are used in turn: while the device copies from one, the host fills the next.</summary>
/// <remarks>For each use: <see cref="Next"/>, fill it, give the copy to a stream, <see cref="Retire"/>. Not
/// thread-safe.</remarks>
public sealed class PinnedRing : IDisposable
{
    private readonly PinnedBuffer[] _buffers;
    private readonly CudaEvent[] _retired;
    private int _current = -1;

    /// <param name="count">Number of buffers: 2 let one copy overlap.</param>
    /// <param name="bytes">Size of each.</param>
    /// <param name="writeCombined">See <see cref="PinnedBuffer"/>.</param>
    public PinnedRing(CudaContext context, int count, long bytes, bool writeCombined = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        _buffers = new PinnedBuffer[count];
        _retired = new CudaEvent[count];
        try
        {
            for (int i = 0; i < count; i++)
            {
                _buffers[i] = new PinnedBuffer(context, bytes, writeCombined);
                _retired[i] = new CudaEvent(context);
            }
        }
        catch
        {
            Free();
            throw;
        }
    }

    /// <summary>The buffer whose last use is longest ago. Waits until the device is done with it.</summary>
    public PinnedBuffer Next()
    {
        _current = (_current + 1) % _buffers.Length;
        _retired[_current].Synchronize();
        return _buffers[_current];
    }

    /// <summary>Says that the work given to <paramref name="stream"/> so far is the last that uses the buffer which
    /// <see cref="Next"/> returned.</summary>
    /// <exception cref="InvalidOperationException">Next was not called yet.</exception>
    public void Retire(CudaStream stream)
    {
        if (_current < 0) throw new InvalidOperationException("PinnedRing: call Next before Retire.");
        _retired[_current].Record(stream);
    }

    /// <summary>Waits until the device is done with all buffers, then frees them.</summary>
    public void Dispose()
    {
        try
        {
            foreach (CudaEvent retired in _retired)
            {
                if (!retired.IsClosed) retired.Synchronize();
            }
        }
        catch (CudaException)
        {
            // The context was lost, and who waits for results is told; no copy will come any more.
        }
        Free();
    }

    private void Free()
    {
        foreach (CudaEvent? retired in _retired) retired?.Dispose();
        foreach (PinnedBuffer? buffer in _buffers) buffer?.Dispose();
    }
}
