using EfficientAD.Backends;
using EfficientAD.Tensors;

namespace EfficientAD.Autograd;

/// <summary>A list of operations, recorded once with all its buffers and replayed as often as one likes.</summary>
/// <remarks>
/// An operation runs when it is recorded, so values can be looked at at once; <see cref="Forward"/> runs all of them
/// again on whatever the input tensors hold by then. Shapes and buffers never change, and after recording nothing is
/// allocated. Variables that need no gradient record no backward pass. Not thread-safe.
/// </remarks>
public sealed class Tape(IBackend backend) : IDisposable
{
    private readonly List<Action> _forward = [];
    private readonly List<(Variable[] Results, Action<Variable[]> Backward)> _backward = [];
    private readonly List<IDisposable> _owned = [];

    public IBackend Backend { get; } = backend;

    /// <summary>A new tensor, all zero, that lives as long as the tape.</summary>
    public Tensor Allocate(Shape shape)
    {
        Tensor tensor = Backend.Allocate(shape);
        _owned.Add(tensor);
        return tensor;
    }

    /// <summary>Disposes it with the tape, before the tensors allocated so far.</summary>
    public void Own(IDisposable part) => _owned.Add(part);

    /// <summary>Runs an operation and keeps it.</summary>
    /// <param name="output">What <paramref name="forward"/> overwrites.</param>
    /// <param name="needsGradient">Whether anything that the output depends on needs a gradient.</param>
    /// <param name="forward">Computes the output from its inputs' values.</param>
    /// <param name="backward">Accumulates into the inputs' gradients, given the result with its gradient.</param>
    public Variable Record(Tensor output, bool needsGradient, Action forward, Action<Variable> backward) =>
        Record([output], needsGradient, forward, results => backward(results[0]))[0];

    /// <summary>The same for an operation with several results.</summary>
    public Variable[] Record(
        IEnumerable<Tensor> outputs, bool needsGradient, Action forward, Action<Variable[]> backward)
    {
        Variable[] results =
            [.. outputs.Select(output => new Variable(output, needsGradient ? Allocate(output.Shape) : null))];
        _forward.Add(forward);
        if (needsGradient) _backward.Add((results, backward));
        forward();
        return results;
    }

    /// <summary>Keeps an operation that is dear and of no use before the inputs hold something: it does not run
    /// now.</summary>
    /// <param name="forward">Overwrites tensors that need no gradient.</param>
    public void Defer(Action forward) => _forward.Add(forward);

    /// <summary>Runs all operations again, in order.</summary>
    public void Forward()
    {
        foreach (Action operation in _forward) operation();
    }

    /// <summary>Adds to every parameter's gradient the derivative of <paramref name="loss"/>, a single
    /// number.</summary>
    public void Backward(Variable loss)
    {
        if (loss.Value.Shape.Count != 1 || loss.Gradient is null)
        {
            throw new ArgumentException(
                $"A loss is one number that depends on a parameter; this is {loss.Value.Shape}.", nameof(loss));
        }

        foreach ((Variable[] results, _) in _backward)
            foreach (Variable result in results) Backend.Fill(0, result.Gradient!);
        Backend.Fill(1, loss.Gradient);
        for (int i = _backward.Count - 1; i >= 0; i--)
            _backward[i].Backward(_backward[i].Results);
    }

    /// <summary>Frees every tensor that the tape allocated.</summary>
    public void Dispose()
    {
        for (int i = _owned.Count - 1; i >= 0; i--) _owned[i].Dispose();
        _owned.Clear();
    }
}
