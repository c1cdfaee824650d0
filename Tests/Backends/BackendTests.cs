using EfficientAD.Backends;
using EfficientAD.Tensors;

namespace EfficientAD.Tests.Backends;

/// <summary>What every backend must do, primitive by primitive: agree with plain loops in double and with PyTorch,
/// write nothing else, change no source, let no NaN vanish, and give the same bits however often and on however many
/// threads it runs.</summary>
public abstract partial class BackendTests : IDisposable
{
    private const float Sentinel = -12345.678f;

    private readonly IReadOnlyList<IBackend> _backends;

    /// <param name="backends">Variants that must give the same bits; disposed with the test.</param>
    protected BackendTests(params IReadOnlyList<IBackend> backends) => _backends = backends;

    private protected IBackend Backend => _backends[0];

    public void Dispose()
    {
        foreach (IBackend backend in _backends) backend.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>A call of one primitive.</summary>
    /// <param name="read">Its sources.</param>
    /// <param name="written">Its destinations, with their contents before the call.</param>
    private protected delegate void Primitive(IBackend backend, Tensor[] read, Tensor[] written);

    /// <summary>Runs a primitive on every backend, twice on the first, between guards, and compares the bits.</summary>
    /// <returns>The destinations after the call.</returns>
    private protected float[][] Run(HostTensor[] read, HostTensor[] written, Primitive primitive)
    {
        float[][] results = RunOn(Backend, read, written, primitive);
        foreach (IBackend backend in _backends)
        {
            float[][] again = RunOn(backend, read, written, primitive);
            for (int i = 0; i < results.Length; i++)
                TensorAssert.SameBits(results[i], again[i], $"destination {i} of {backend.Name}, not {Backend.Name}");
        }

        return results;
    }

    /// <summary>Runs a primitive that overwrites one destination.</summary>
    private protected float[] Run(Shape shape, HostTensor[] read, Action<IBackend, Tensor[], Tensor> primitive) =>
        Run(read, [HostTensor.Unwritten(shape)], (on, s, d) => primitive(on, s, d[0]))[0];

    /// <summary>Runs a primitive that accumulates into one destination.</summary>
    /// <returns>Its initial contents, and what the primitive made of them.</returns>
    private protected (HostTensor Initial, float[] Result) Accumulate(
        Shape shape, HostTensor[] read, Action<IBackend, Tensor[], Tensor> primitive)
    {
        HostTensor initial = HostTensor.Random(shape, 77, 7);
        return (initial, Run(read, [initial], (on, s, d) => primitive(on, s, d[0]))[0]);
    }

    private static HostTensor Random(Shape shape, ulong stream, double scale = 1) =>
        HostTensor.Random(shape, 1, stream, scale);

    private static float[][] RunOn(IBackend backend, HostTensor[] read, HostTensor[] written, Primitive primitive)
    {
        // NaN around the sources: a value read from beyond them shows, even where its weight is zero.
        using var sources = new GuardedTensors(backend, read, float.NaN);
        using var destinations = new GuardedTensors(backend, written, Sentinel);
        primitive(backend, sources.Tensors, destinations.Tensors);
        float[][] after = sources.Download("source");
        for (int i = 0; i < read.Length; i++)
            TensorAssert.SameBits(read[i].ToFloats(), after[i], $"source {i} of {backend.Name}");
        return destinations.Download("destination");
    }

    /// <summary>Tensors that each lie inside a larger one, between a sample of guard values on either side.</summary>
    private sealed class GuardedTensors : IDisposable
    {
        private readonly IBackend _backend;
        private readonly float _guard;
        private readonly Tensor[] _whole;

        public GuardedTensors(IBackend backend, HostTensor[] contents, float guard)
        {
            (_backend, _guard) = (backend, guard);
            _whole = Array.ConvertAll(contents, host => backend.Allocate(host.Shape with { N = host.Shape.N + 2 }));
            Tensors = new Tensor[contents.Length];
            for (int i = 0; i < contents.Length; i++)
            {
                backend.Fill(guard, _whole[i]);
                Tensors[i] = _whole[i].Samples(1, contents[i].Shape.N);
                backend.Upload(contents[i].ToFloats(), Tensors[i]);
            }
        }

        public Tensor[] Tensors { get; }

        /// <summary>The values between the guards, after a look at the guards.</summary>
        public float[][] Download(string what)
        {
            var values = new float[_whole.Length][];
            for (int i = 0; i < values.Length; i++)
            {
                var all = new float[_whole[i].Shape.Count];
                _backend.Download(_whole[i], all);
                int sample = (int)_whole[i].Shape.SampleCount;
                var guards = new float[sample];
                Array.Fill(guards, _guard);
                TensorAssert.SameBits(guards, all.AsSpan(0, sample), $"guard before {what} {i}");
                TensorAssert.SameBits(guards, all.AsSpan(all.Length - sample), $"guard behind {what} {i}");
                values[i] = all[sample..^sample];
            }

            return values;
        }

        public void Dispose()
        {
            foreach (Tensor tensor in _whole) tensor.Dispose();
        }
    }

    /// <summary>What float rounding may do to 1 plus a sum of products that are each below <paramref name="scale"/>:
    /// every addition rounds a partial sum of about 1 + scale sqrt(terms) / 2 by 0.6 x 2^-24 of it (standard
    /// deviation), and such errors add up like random signs; seven of those.</summary>
    private static double Rounding(long terms, double scale) =>
        Math.ScaleB((Math.Sqrt(terms) + 1) * (1 + scale * Math.Sqrt(terms) / 2), -22);

    /// <summary>What rounding may do to a convolution: as much as to plain sums, times what the backend's way of
    /// computing them makes of it.</summary>
    private double ConvolutionRounding(long terms, double scale) => ConvolutionAmplification * Rounding(terms, scale);

    /// <summary>1 for a backend that adds up the products themselves.</summary>
    private protected virtual double ConvolutionAmplification => 1;

    private const string RoundingReason = "seven standard deviations of float rounding in a sum of so many products";
    private const string FewRoundings = "a few float operations, each rounded to 2^-24";
    private static readonly double Few = Math.ScaleB(1, -21);
}
