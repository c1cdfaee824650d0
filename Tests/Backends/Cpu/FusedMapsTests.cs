using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Networks;
using EfficientAD.Tensors;
using EfficientAD.Training;

namespace EfficientAD.Tests.Backends.Cpu;

/// <summary>The fused plan against the plain one and, with a student that has almost learnt its teacher, against sums
/// in double: small differences of large features amplify rounding.</summary>
/// <param name="known">Weights that take longer to draw than the maps to compute.</param>
public class FusedMapsTests(FusedMapsTests.Known known) : IClassFixture<FusedMapsTests.Known>
{
    // Student weights differ from the teacher's by this share: maps are some thousandths of the features' squares.
    private const float Ignorance = 0.05f;

    public static TheoryData<PdnSize, int, int, DetectionMode, InstructionSet> Cases => new()
    {
        { PdnSize.Small, 33, 35, DetectionMode.Fast, InstructionSet.Auto },          // one output, two columns
        { PdnSize.Small, 65, 82, DetectionMode.Fast, InstructionSet.Auto },
        { PdnSize.Small, 65, 82, DetectionMode.Precise, InstructionSet.Auto },
        { PdnSize.Small, 58, 49, DetectionMode.Fast, InstructionSet.Portable },
        { PdnSize.Small, 58, 49, DetectionMode.Precise, InstructionSet.Portable },
        { PdnSize.Small, 58, 49, DetectionMode.Fast, InstructionSet.Avx2 },
        { PdnSize.Medium, 44, 57, DetectionMode.Fast, InstructionSet.Auto },
        { PdnSize.Medium, 44, 57, DetectionMode.Precise, InstructionSet.Auto },
    };

    [Theory, MemberData(nameof(Cases))]
    public void Maps_AreThoseOfThePlainPlan(
        PdnSize size, int height, int width, DetectionMode mode, InstructionSet instructions)
    {
        if (instructions == InstructionSet.Avx2 && !System.Runtime.Intrinsics.Vector256.IsHardwareAccelerated)
            Assert.Skip("This processor has no AVX2.");
        Networks networks = known.With(size, instructions);
        (float[] local, float[] global) = networks.Maps(height, width, DetectionMode.Plain);
        (float[] fusedLocal, float[] fusedGlobal) = networks.Maps(height, width, mode);
        AssertError(local, fusedLocal, 3e-4, "local map");
        AssertError(global, fusedGlobal, 3e-5, "global map");

        // Same bits with another number of threads and on another run.
        (float[] again, float[] globalAgain) = known.With(size, instructions, threads: 3).Maps(height, width, mode);
        TensorAssert.SameBits(fusedLocal, again, "local map on three threads");
        TensorAssert.SameBits(fusedGlobal, globalAgain, "global map on three threads");
    }

    [Theory, InlineData(DetectionMode.Fast), InlineData(DetectionMode.Precise)]
    public void GreyFrame_GivesTheMapsOfItsThreeColours(DetectionMode mode)
    {
        const int Side = 96;
        Networks networks = known.With(PdnSize.Small, InstructionSet.Auto);
        using DetectionPlan plan = networks.Plan(61, 72, mode, batch: 2);
        RgbImage colour = NaturalTexture.Render(2, 0, Side);
        var grey = new GreyImage(Side, Side, [.. colour.Pixels.Where((_, i) => i % 3 == 1)]);
        var same = new RgbImage(Side, Side, [.. grey.Pixels.SelectMany(value => new[] { value, value, value })]);
        float[][] expected = Maps(same.View, colour.View), actual = Maps(grey.View, colour.View);
        AssertError(expected[0], actual[0], mode == DetectionMode.Fast ? 2e-4 : 5e-5, "local map");
        AssertError(expected[1], actual[1], 3e-5, "global map");
        Assert.NotEqual(expected[0], actual[0]);  // or the grey way was not taken
        TensorAssert.SameBits(expected[2], actual[2], "the other image's local map");

        float[][] Maps(ImageView first, ImageView second)
        {
            plan.Preprocess(first, 0);
            plan.Preprocess(second, 1);
            plan.ComputeMaps(2);
            return
            [
                networks.Values(plan.LocalMap, 0), networks.Values(plan.GlobalMap, 0),
                networks.Values(plan.LocalMap, 1),
            ];
        }
    }

    [Theory, InlineData(3), InlineData(2)]
    public void Batch_GivesTheBitsOfSingleImages(int samples)
    {
        const int Height = 61, Width = 72, Batch = 3;
        Networks networks = known.With(PdnSize.Small, InstructionSet.Auto);
        using DetectionPlan single = networks.Plan(Height, Width, DetectionMode.Fast, batch: 1);
        using DetectionPlan plan = networks.Plan(Height, Width, DetectionMode.Fast, Batch);
        RgbImage[] images = [.. Enumerable.Range(0, samples).Select(i => NaturalTexture.Render(2, i, 96))];
        for (int i = 0; i < samples; i++) plan.Preprocess(images[i].View, i);
        plan.ComputeMaps(samples);
        for (int i = 0; i < samples; i++)
        {
            single.ComputeMaps(images[i].View);
            TensorAssert.SameBits(
                networks.Values(single.LocalMap, 0), networks.Values(plan.LocalMap, i), $"local map {i}");
            TensorAssert.SameBits(
                networks.Values(single.GlobalMap, 0), networks.Values(plan.GlobalMap, i), $"global map {i}");
        }
    }

    [Fact]
    public void LocalMap_MatchesSumsInDouble()
    {
        const int Height = 37, Width = 41;
        Networks networks = known.With(PdnSize.Small, InstructionSet.Auto);
        float[] expected = networks.LocalMapInDouble(Height, Width);
        AssertError(expected, Local(DetectionMode.Plain), 5e-5, "plain local map");
        AssertError(expected, Local(DetectionMode.Precise), 5e-5, "precise local map");
        AssertError(expected, Local(DetectionMode.Fast), 2e-4, "fast local map");

        float[] Local(DetectionMode mode) => networks.Maps(Height, Width, mode).Local;
    }

    [Fact]
    public void NotANumberInAWeight_ReachesBothMaps()
    {
        using var networks = new Networks(
            PdnSize.Small, InstructionSet.Auto, threads: 2, known.With(PdnSize.Small, InstructionSet.Auto));
        Tensor weights = networks.All.Student.Layers[1].Weights.Value;
        var values = new float[weights.Shape.Count];
        networks.Backend.Download(weights, values);
        values[77] = float.NaN;
        networks.Backend.Upload(values, weights);
        (float[] local, float[] global) = networks.Maps(40, 40, DetectionMode.Fast);
        Assert.All(local.Concat(global), value => Assert.True(float.IsNaN(value)));
    }

    private static void AssertError(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, double bound, string what)
    {
        double squares = 0, total = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            squares += Math.Pow((double)actual[i] - expected[i], 2);
            total += Math.Pow(expected[i], 2);
        }

        double error = Math.Sqrt(squares / total);
        Assert.True(error < bound, $"{what}: relative error {error:G3}; stated is {bound:G3}.");
    }

    /// <summary>Networks of each size, drawn once, on a backend of each kind.</summary>
    public sealed class Known : IDisposable
    {
        private readonly Dictionary<(PdnSize, InstructionSet, int), Networks> _networks = [];

        internal Networks With(PdnSize size, InstructionSet instructions, int threads = 2)
        {
            if (_networks.TryGetValue((size, instructions, threads), out Networks? networks)) return networks;
            Networks? drawn = (instructions, threads) == (InstructionSet.Auto, 2)
                ? null
                : With(size, InstructionSet.Auto);
            return _networks[(size, instructions, threads)] = new Networks(size, instructions, threads, drawn);
        }

        public void Dispose()
        {
            foreach (Networks networks in _networks.Values) networks.Dispose();
        }
    }

    internal sealed class Networks : IDisposable
    {
        /// <param name="drawn">Of the same size, to copy from; null draws.</param>
        public Networks(PdnSize size, InstructionSet instructions, int threads, Networks? drawn)
        {
            Backend = CpuBackendTests.On(threads, instructions);
            All = new DetectionNetworks(Backend, size, padded: false, trainable: false);
            if (drawn is not null)
            {
                All.CopyFrom(drawn.All);
                return;
            }

            All.Teacher.Initialize(new CounterRandom(1, 0));
            All.Student.Initialize(new CounterRandom(2, 0));
            All.Autoencoder.Initialize(new CounterRandom(3, 0));
            Backend.Fill(0.01f, All.Mean);
            Backend.Fill(0.3f, All.Deviation);
            Teach();
        }

        public CpuBackend Backend { get; }

        public DetectionNetworks All { get; }

        public (float[] Local, float[] Global) Maps(int height, int width, DetectionMode mode)
        {
            using DetectionPlan plan = Plan(height, width, mode, batch: 1);
            RgbImage image = NaturalTexture.Render(1, 0, 96);
            plan.ComputeMaps(image.View);
            plan.ComputeMaps(image.View);
            return (Values(plan.LocalMap, 0), Values(plan.GlobalMap, 0));
        }

        public DetectionPlan Plan(int height, int width, DetectionMode mode, int batch) =>
            new(All, MapOrder.Reference, height, width, mode, batch);

        public float[] Values(Tensor map, int sample)
        {
            var values = new float[map.Shape.SampleCount];
            Backend.Download(map.Samples(sample, 1), values);
            return values;
        }

        /// <summary>The definition, layer by layer in double; no map may hide behind another's rounding.</summary>
        public float[] LocalMapInDouble(int height, int width)
        {
            using Tensor input = Backend.Allocate(new Shape(1, 3, height, width));
            Backend.Preprocess(NaturalTexture.Render(1, 0, 96).View, ColourAdjustment.None, height, width, input);
            HostTensor teacher = Features(All.Teacher, Host(input)), student = Features(All.Student, Host(input));
            var map = new float[teacher.Shape.Plane];
            for (int i = 0; i < map.Length; i++)
            {
                double sum = 0;
                for (int c = 0; c < 384; c++)
                {
                    double normalized = (teacher.Values[c * map.Length + i] - 0.01f) / 0.3f;
                    sum += Math.Pow(normalized - student.Values[c * map.Length + i], 2);
                }

                map[i] = (float)(sum / 384);
            }

            return map;
        }

        public void Dispose()
        {
            All.Dispose();
            Backend.Dispose();
        }

        /// <summary>The student's first half becomes the normalised teacher, but for a few per cent of each
        /// weight.</summary>
        private void Teach()
        {
            foreach ((int i, ConvolutionLayer layer) in All.Student.Layers.Index())
            {
                ConvolutionLayer known = All.Teacher.Layers[i];
                bool isLast = i == All.Student.Layers.Count - 1;
                // The wide layer before a 1 x 1 last one has no counterpart of its shape.
                if (layer.Weights.Value.Shape.SampleCount != known.Weights.Value.Shape.SampleCount) continue;
                (float scale, float offset) = isLast ? (1 / 0.3f, -0.01f / 0.3f) : (1, 0);
                Mix(layer.Weights.Value, known.Weights.Value, scale, 0, (ulong)i);
                Mix(layer.Bias.Value, known.Bias.Value, scale, offset, (ulong)(100 + i));
            }
        }

        private void Mix(Tensor student, Tensor teacher, float scale, float offset, ulong stream)
        {
            var random = new CounterRandom(9, stream);
            float[] values = Floats(student), known = Floats(teacher);
            for (int i = 0; i < known.Length; i++)
                values[i] = (scale * known[i] + offset) * (1 + random.Uniform((ulong)i, -Ignorance, Ignorance));
            Backend.Upload(values, student);
        }

        private HostTensor Features(PatchDescriptionNetwork network, HostTensor x)
        {
            for (int i = 0; i < network.Layers.Count; i++)
            {
                ConvolutionLayer layer = network.Layers[i];
                x = PlainConvolution2d.Forward(
                    x, Host(layer.Weights.Value), Host(layer.Bias.Value), Convolution2dGeometry.Valid, layer.Relu);
                if (i < 2) x = PlainLayers.AveragePool2d(x, 0);
            }

            return x;
        }

        private HostTensor Host(Tensor tensor) => HostTensor.FromFloats(tensor.Shape, Floats(tensor));

        private float[] Floats(Tensor tensor)
        {
            var values = new float[tensor.Shape.Count];
            Backend.Download(tensor, values);
            return values;
        }
    }
}
