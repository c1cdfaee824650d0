using EfficientAD.Autograd;
using EfficientAD.Backends;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Distillation;

/// <summary>A running average of a network's weights over about the last eighth of the steps so far: polynomial-decay
/// averaging (Shamir and Zhang, 2013), which needs no rate and forgets the start by itself.</summary>
/// <remarks>It smooths the noise that a high learning rate leaves, so that a checkpoint can be used.</remarks>
internal sealed class WeightAverage : IDisposable
{
    private const double Order = 7;

    private readonly IBackend _backend;
    private readonly Parameter[] _parameters;

    public WeightAverage(IBackend backend, Network network)
    {
        _backend = backend;
        _parameters = [.. network.Parameters];
        Values = [.. _parameters.Select(parameter => backend.Allocate(parameter.Value.Shape))];
    }

    /// <summary>Per parameter its average.</summary>
    public IReadOnlyList<Tensor> Values { get; }

    /// <summary>The average of one of the network's parameters.</summary>
    public Tensor Of(Parameter parameter) => Values[Array.IndexOf(_parameters, parameter)];

    /// <param name="step">From 1; the first step's weights start the average.</param>
    public void Add(int step)
    {
        float share = (float)((Order + 1) / (step + Order));
        for (int i = 0; i < _parameters.Length; i++)
            _backend.CombineMaps(Values[i], _parameters[i].Value, 1 - share, share, 0, Values[i]);
    }

    public void CopyTo(Network network)
    {
        int i = 0;
        foreach (Parameter parameter in network.Parameters) _backend.Copy(Values[i++], parameter.Value);
    }

    public void Dispose()
    {
        foreach (Tensor value in Values) value.Dispose();
    }
}
