namespace EfficientAD.Tensors;

/// <summary>A dense float32 array in the memory of one backend, or a view into another tensor.</summary>
/// <remarks>A tensor is a shape and an address that only its backend may dereference; values travel through
/// <see cref="Backends.IBackend.Upload"/> and <see cref="Backends.IBackend.Download"/>. Not thread-safe.</remarks>
public sealed class Tensor : IDisposable
{
    private readonly IDisposable? _memory;
    private readonly Tensor? _base;
    private List<IDisposable>? _derived;
    private int _version;

    internal Tensor(Shape shape, nint address, IDisposable memory) =>
        (Shape, Address, _memory) = (shape, address, memory);

    private Tensor(Tensor source, Shape shape, nint address) => (_base, Shape, Address) = (source, shape, address);

    public Shape Shape { get; }

    /// <summary>Where the first value lies, in the backend's address space (a CPU pointer or a device
    /// pointer).</summary>
    internal nint Address { get; }

    /// <summary>Counts writes to parameters, so that a backend knows when what it derived from them is stale.</summary>
    internal int Version => _base?.Version ?? _version;

    /// <summary>What a backend derived from the values (packed weights), or null; it belongs to that backend. What was
    /// derived from a view, too, is disposed with the tensor that owns the memory.</summary>
    internal object? Derived
    {
        get;
        set
        {
            field = value;
            if (value is IDisposable disposable) (Owner._derived ??= []).Add(disposable);
        }
    }

    private Tensor Owner => _base?.Owner ?? this;

    internal void MarkWritten()
    {
        if (_base is null) _version++;
        else _base.MarkWritten();
    }

    /// <summary>The samples [first, first + count) of a batch, or rows of a weight tensor; shares memory.</summary>
    public Tensor Samples(int first, int count)
    {
        if (first < 0 || count < 1 || first + count > Shape.N)
        {
            throw new ArgumentOutOfRangeException(
                nameof(first), $"Samples {first} to {first + count - 1} of {Shape} do not exist.");
        }

        return new Tensor(this, Shape with { N = count }, Address + (nint)(first * Shape.SampleCount * sizeof(float)));
    }

    /// <summary>The same values under another shape of the same count; shares memory.</summary>
    public Tensor Reshape(Shape shape) => shape.Count == Shape.Count
        ? new Tensor(this, shape, Address)
        : throw new ArgumentException($"{Shape} holds {Shape.Count} values, {shape} {shape.Count}.", nameof(shape));

    /// <summary>Frees the memory; views of it must not be used any more. Disposing a view does nothing.</summary>
    public void Dispose()
    {
        if (_memory is null) return;
        foreach (IDisposable derived in _derived ?? []) derived.Dispose();
        _derived = null;
        _memory.Dispose();
    }
}
