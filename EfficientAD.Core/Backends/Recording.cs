namespace EfficientAD.Backends;

/// <summary>Work that runs again and again on the same tensors: <see cref="IBackend.Record"/>.</summary>
/// <remarks>Not thread-safe. Dispose it before the tensors.</remarks>
public sealed class Recording : IDisposable
{
    private readonly Action _replay;
    private readonly IDisposable? _memory;

    /// <param name="memory">What the replay holds, or null.</param>
    internal Recording(Action replay, IDisposable? memory = null) => (_replay, _memory) = (replay, memory);

    /// <summary>Does the work once more.</summary>
    public void Replay() => _replay();

    public void Dispose() => _memory?.Dispose();
}
