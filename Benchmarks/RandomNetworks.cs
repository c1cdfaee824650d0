using EfficientAD.Backends;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Benchmarks;

/// <summary>Networks with their first, random weights: the arithmetic does not depend on them.</summary>
internal static class RandomNetworks
{
    public static DetectionNetworks Create(IBackend backend, PdnSize size, bool trainable)
    {
        var networks = new DetectionNetworks(backend, size, padded: false, trainable);
        networks.Teacher.Initialize(new CounterRandom(1, 0));
        networks.Student.Initialize(new CounterRandom(2, 0));
        networks.Autoencoder.Initialize(new CounterRandom(3, 0));
        backend.Fill(1, networks.Deviation);
        return networks;
    }
}
