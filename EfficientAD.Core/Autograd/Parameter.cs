using EfficientAD.Backends;
using EfficientAD.Tensors;

namespace EfficientAD.Autograd;

/// <summary>Weights or a bias: a variable that outlives the tape, with the optimiser's state beside it.</summary>
public sealed class Parameter : Variable, IDisposable
{
    /// <param name="trainable">Allocates a gradient and Adam's two moments; without it the parameter is frozen.</param>
    public Parameter(IBackend backend, string name, Shape shape, bool trainable)
        : base(backend.Allocate(shape), trainable ? backend.Allocate(shape) : null)
    {
        Name = name;
        if (!trainable) return;
        FirstMoment = backend.Allocate(shape);
        SecondMoment = backend.Allocate(shape);
    }

    /// <summary>The tensor's name in a model file, without the network's prefix: "conv1.weight".</summary>
    public string Name { get; }

    /// <summary>Adam's running mean of the gradient; null when frozen.</summary>
    public Tensor? FirstMoment { get; }

    /// <summary>Adam's running mean of the squared gradient; null when frozen.</summary>
    public Tensor? SecondMoment { get; }

    /// <summary>What Adam takes to move it.</summary>
    /// <exception cref="InvalidOperationException">It is frozen.</exception>
    internal AdamTensors ForAdam => Gradient is null
        ? throw new InvalidOperationException($"{Name} is frozen.")
        : new AdamTensors(Gradient, FirstMoment!, SecondMoment!, Value);

    public void Dispose()
    {
        Value.Dispose();
        Gradient?.Dispose();
        FirstMoment?.Dispose();
        SecondMoment?.Dispose();
    }
}
