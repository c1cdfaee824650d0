using EfficientAD.Autograd;
using EfficientAD.Backends.Cpu;
using EfficientAD.Networks;
using EfficientAD.Tensors;
using EfficientAD.Tests.References;

namespace EfficientAD.Tests.Networks;

/// <summary>Whole networks against outputs that PyTorch computed in double (torch_networks.py).</summary>
public sealed class TorchNetworkTests : IDisposable
{
    private const double Tolerance = 1e-5;
    private const string Because = "float rounding; that of the bottleneck's 64 numbers spreads over the whole map";

    private static readonly ReferenceFile Reference = ReferenceFile.Open("torch/networks.safetensors");

    private readonly CpuBackend _backend = new();

    public void Dispose() => _backend.Dispose();

    [Theory, InlineData(0), InlineData(1), InlineData(2), InlineData(3), InlineData(4), InlineData(5)]
    public void PatchDescriptionNetwork_MatchesPyTorch(int index)
    {
        ReadOnlySpan<long> c = Reference.Integers($"pdn.{index}.case");
        int outputs = (int)c[1];
        using PatchDescriptionNetwork network = Network(c[0] != 0 ? PdnSize.Medium : PdnSize.Small, outputs, c[2] != 0);
        (Shape shape, float[] output) = Run(new Shape((int)c[3], 3, (int)c[4], (int)c[5]), network.Forward);
        Summary.Matches(Reference, $"pdn.{index}.output", shape, output, Tolerance, Because);
    }

    [Theory, InlineData(0), InlineData(1), InlineData(2)]
    public void Autoencoder_MatchesPyTorch(int index)
    {
        ReadOnlySpan<long> c = Reference.Integers($"autoencoder.{index}.case");
        (int size, bool dropout) = ((int)c[0], c[1] != 0);
        using Autoencoder network = new Autoencoder(_backend, trainable: false).Filled(_backend, seed: 3);
        (Shape shape, float[] output) = Run(new Shape(1, 3, 256, 256), (tape, input) =>
            network.Forward(tape, input, size, dropout ? layer => new CounterRandom(5, (ulong)layer) : null));
        Summary.Matches(Reference, $"autoencoder.{index}.output", shape, output, Tolerance, Because);
    }

    [Theory, InlineData(PdnSize.Small, 65, 82), InlineData(PdnSize.Medium, 33, 47)]
    public void UnpaddedOutput_EqualsTheCentreOfThePaddedOne(PdnSize size, int height, int width)
    {
        var input = new Shape(1, 3, height, width);
        using PatchDescriptionNetwork unpadded = Network(size, 384, padded: false);
        using PatchDescriptionNetwork padded = Network(size, 384, padded: true);
        (Shape inner, float[] centre) = Run(input, unpadded.Forward);
        (Shape outer, float[] whole) = Run(input, padded.Forward);
        const int Border = 4; // at 256: [4:60, 4:60] of 64 x 64

        var cropped = new float[centre.Length];
        for (int plane = 0; plane < inner.C; plane++)
            for (int y = 0; y < inner.H; y++)
                for (int x = 0; x < inner.W; x++)
                {
                    int row = plane * outer.H + y + Border;
                    cropped[(plane * inner.H + y) * inner.W + x] = whole[row * outer.W + x + Border];
                }

        TensorAssert.Close(
            cropped, centre, 1e-4, 0, "the same convolutions by other tiles: rounding of minimal filtering");
    }

    [Theory, InlineData(256, 56, 64)]
    [InlineData(33, 1, 9), InlineData(34, 1, 9), InlineData(36, 1, 9), InlineData(37, 2, 10)]
    public void OutputSize_IsWhatTheLayersGive(int input, int unpadded, int padded)
    {
        Assert.Equal(unpadded, PatchDescriptionNetwork.OutputSize(input, padded: false));
        Assert.Equal(padded, PatchDescriptionNetwork.OutputSize(input, padded: true));
    }

    [Fact]
    public void Halves_AreTheHalvesOfTheWhole()
    {
        using PatchDescriptionNetwork student = Network(PdnSize.Small, 768, padded: false);
        var input = new Shape(1, 3, 37, 41);
        (_, float[] whole) = Run(input, student.Forward);
        (Shape shape, float[] teacher) = Run(input, (tape, x) => student.TeacherHalf(tape, student.Hidden(tape, x)));
        (_, float[] autoencoder) = Run(input, (tape, x) => student.AutoencoderHalf(tape, student.Hidden(tape, x)));
        Assert.Equal(384, shape.C);
        const string because =
            "the whole runs as a head of the hidden layers' stack, and minimal filtering rounds it by itself";
        TensorAssert.Close(whole.AsSpan(0, teacher.Length), teacher, 2e-5, 1e-6, because);
        TensorAssert.Close(whole.AsSpan(teacher.Length), autoencoder, 2e-5, 1e-6, because);
    }

    [Theory, InlineData(PdnSize.Small, 384, 2_694_144), InlineData(PdnSize.Small, 768, 4_267_392)]
    [InlineData(PdnSize.Medium, 384, 8_026_624), InlineData(PdnSize.Medium, 768, 11_615_488)]
    public void PatchDescriptionNetwork_HasThePublishedNumberOfParameters(PdnSize size, int outputs, long count)
    {
        using var network = new PatchDescriptionNetwork(_backend, size, outputs, padded: false, trainable: false);
        Assert.Equal(count, network.Parameters.Sum(parameter => parameter.Value.Shape.Count));
    }

    [Fact]
    public void Autoencoder_HasThePublishedNumberOfParameters()
    {
        using var network = new Autoencoder(_backend, trainable: false);
        Assert.Equal(1_096_320, network.Parameters.Sum(parameter => parameter.Value.Shape.Count));
    }

    [Fact]
    public void AnImageBelowTheReceptiveField_Throws()
    {
        using var network = new PatchDescriptionNetwork(_backend, PdnSize.Small, 384, padded: false, trainable: false);
        Assert.Throws<ArgumentException>(() => Run(new Shape(1, 3, 32, 64), network.Forward));
    }

    private PatchDescriptionNetwork Network(PdnSize size, int outputs, bool padded) =>
        new PatchDescriptionNetwork(_backend, size, outputs, padded, trainable: false)
            .Filled(_backend, seed: outputs == 384 ? 1ul : 2);

    private (Shape Shape, float[] Values) Run(Shape input, Func<Tape, Variable, Variable> network)
    {
        using var tape = new Tape(_backend);
        Tensor image = tape.Allocate(input);
        _backend.Upload(Drawn.Image(4, 0, input), image);
        Tensor output = network(tape, Variable.Constant(image)).Value;
        var values = new float[output.Shape.Count];
        _backend.Download(output, values);
        return (output.Shape, values);
    }
}
