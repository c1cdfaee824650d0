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

    /// <summary>Lets Adam move it by its gradient, which then starts again from zero.</summary>
    /// <param name="step">1 for the first step.</param>
    internal void Update(IBackend backend, AdamSettings settings, int step)
    {
        backend.Adam(Gradient!, settings, step, FirstMoment!, SecondMoment!, Value);
        backend.Fill(0, Gradient!);
    }

    public void Dispose()
    {
        Value.Dispose();
        Gradient?.Dispose();
        FirstMoment?.Dispose();
        SecondMoment?.Dispose();
    }
}
