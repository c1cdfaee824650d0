using EfficientAD.Autograd;
using EfficientAD.Backends;
using EfficientAD.Tensors;

namespace EfficientAD.Networks;

/// <summary>A stack of convolutions with named parameters.</summary>
public abstract class Network : IDisposable
{
    private readonly List<ConvolutionLayer> _layers = [];

    private protected Network(IBackend backend, bool trainable) => (Backend, Trainable) = (backend, trainable);

    /// <summary>Weights and bias of every layer, in order.</summary>
    public IEnumerable<Parameter> Parameters => _layers.SelectMany(layer => new[] { layer.Weights, layer.Bias });

    private protected IBackend Backend { get; }

    private protected bool Trainable { get; }

    internal IReadOnlyList<ConvolutionLayer> Layers => _layers;

    /// <summary>Starts every layer as PyTorch does: two streams of <paramref name="random"/> per layer.</summary>
    public void Initialize(CounterRandom random)
    {
        for (int i = 0; i < _layers.Count; i++) _layers[i].Initialize(Backend, StreamsOf(i, random));
    }

    /// <summary>Takes over the weights of a network of the same kind on the same backend.</summary>
    public void CopyFrom(Network source)
    {
        foreach ((Parameter from, Parameter to) in source.Parameters.Zip(Parameters))
            Backend.Copy(from.Value, to.Value);
    }

    public void Dispose()
    {
        foreach (ConvolutionLayer layer in _layers) layer.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected static CounterRandom StreamsOf(int layer, CounterRandom random) =>
        random with { Stream = random.Stream + 2 * (ulong)layer };

    private protected void Add(
        string name, int inputs, int outputs, int kernel, bool relu = true, int stride = 1, int padding = 0) =>
        _layers.Add(new ConvolutionLayer(Backend, name, inputs, outputs, kernel, Trainable, relu, stride, padding));
}
