using EfficientAD.Autograd;
using EfficientAD.Backends;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Tests.References;

/// <summary>Weights and images that the scripts and the tests both draw, so that they need not be stored.</summary>
internal static class Drawn
{
    /// <summary><c>symmetric</c> in counter_random.py: scale (2 u - 1) for draws 0, 1, ..., rounded once.</summary>
    public static float[] Symmetric(ulong seed, ulong stream, double scale, long count)
    {
        var values = new float[count];
        var random = new CounterRandom(seed, stream);
        for (int i = 0; i < values.Length; i += 4)
        {
            random.Block((ulong)i / 4, out uint a, out uint b, out uint c, out uint d);
            ReadOnlySpan<uint> words = [a, b, c, d];
            for (int k = 0; k < 4 && i + k < values.Length; k++)
                values[i + k] = (float)scale * (2 * ((words[k] >> 8) * (1f / (1 << 24))) - 1);
        }

        return values;
    }

    /// <summary><c>fill</c> in efficientad_torch.py: one stream per parameter; weights in +-sqrt(6 / fan-in), biases in
    /// +-1 / sqrt(fan-in).</summary>
    public static TNetwork Filled<TNetwork>(this TNetwork network, IBackend backend, ulong seed)
        where TNetwork : Network
    {
        ulong stream = 0;
        double fanIn = 0;
        foreach (Parameter parameter in network.Parameters)
        {
            bool isBias = stream % 2 == 1;
            if (!isBias) fanIn = parameter.Value.Shape.SampleCount;
            double bound = isBias ? 1 / Math.Sqrt(fanIn) : Math.Sqrt(6 / fanIn);
            backend.Upload(Symmetric(seed, stream++, bound, parameter.Value.Shape.Count), parameter.Value);
        }

        return network;
    }

    /// <summary>All networks so filled, with the seeds 1, 2 and 3, a mean of 0 and a deviation of 1.</summary>
    public static DetectionNetworks Networks(IBackend backend, PdnSize size, bool trainable, bool padded = false)
    {
        var networks = new DetectionNetworks(backend, size, padded, trainable);
        networks.Teacher.Filled(backend, 1);
        networks.Student.Filled(backend, 2);
        networks.Autoencoder.Filled(backend, 3);
        backend.Fill(1, networks.Deviation);
        return networks;
    }

    /// <summary><c>image</c> in efficientad_torch.py: uniform in +-sqrt(3).</summary>
    public static float[] Image(ulong seed, ulong stream, Shape shape) =>
        Symmetric(seed, stream, Math.Sqrt(3), shape.Count);
}
