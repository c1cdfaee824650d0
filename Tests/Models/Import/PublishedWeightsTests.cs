using EfficientAD.Autograd;
using EfficientAD.Backends.Cpu;
using EfficientAD.Models;
using EfficientAD.Models.Import;
using EfficientAD.Networks;
using EfficientAD.Tensors;
using EfficientAD.Tests.References;

namespace EfficientAD.Tests.Models.Import;

/// <summary>Networks out of files that PyTorch wrote: every weight bit by bit, and every layer's output against
/// PyTorch's own (published_weights.py).</summary>
public sealed class PublishedWeightsTests(PublishedFolder published) : IClassFixture<PublishedFolder>, IDisposable
{
    private const ulong TeacherSeed = 9, StudentSeed = 10, AutoencoderSeed = 11, MediumSeed = 12;

    private static readonly ReferenceFile Reference = ReferenceFile.Open("published/published.safetensors");

    private readonly CpuBackend _backend = new(new CpuOptions { Threads = 2 });

    public void Dispose() => _backend.Dispose();

    public static TheoryData<string, NetworkRole> Files => new()
    {
        { "teacher_small.pth", NetworkRole.Teacher },
        { "teacher_medium.pth", NetworkRole.Teacher },            // before 1.6
        { "student_final.pth", NetworkRole.Student },             // whole module
        { "autoencoder_final.pth", NetworkRole.Autoencoder },     // whole module, before 1.6
        { "anomalib_2.ckpt", NetworkRole.Teacher },
        { "anomalib_2.ckpt", NetworkRole.Student },
        { "anomalib_2.ckpt", NetworkRole.Autoencoder },
        { "anomalib_2.pt", NetworkRole.Student },                 // whole LightningModule
        { "anomalib_2.pt", NetworkRole.Autoencoder },
        { "anomalib_1.pt", NetworkRole.Teacher },                 // before 1.6
        { "anomalib_1.pt", NetworkRole.Autoencoder },
        { "anomalib_2.onnx", NetworkRole.Teacher },
        { "anomalib_2.onnx", NetworkRole.Student },
        { "anomalib_2.onnx", NetworkRole.Autoencoder },
    };

    [Theory, MemberData(nameof(Files))]
    public void EveryWeight_HasPyTorchsBits(string file, NetworkRole role)
    {
        (Network network, ulong seed) = Load(file, role);
        using (network)
        {
            var pairs = PublishedFolder.Expected(network, seed).Zip(network.Parameters);
            foreach (((string name, float[] expected), Parameter parameter) in pairs)
                TensorAssert.SameBits(expected, PublishedFolder.Download(_backend, parameter.Value), $"{file}: {name}");
        }
    }

    [Fact]
    public void NarrowTypes_AreRoundedOnce()
    {
        (Network network, ulong seed) = Load("pretrained_teacher_small.pth", NetworkRole.Teacher);
        using (network)
        {
            int index = 0;
            var pairs = PublishedFolder.Expected(network, seed).Zip(network.Parameters);
            foreach (((string name, float[] values), Parameter parameter) in pairs)
            {
                int type = index++ % 4;  // float16, bfloat16, float64, float32
                float[] expected = Array.ConvertAll(
                    values, value => type switch { 0 => (float)(Half)value, 1 => RoundToBFloat16(value), _ => value });
                TensorAssert.SameBits(expected, PublishedFolder.Download(_backend, parameter.Value), name);
            }
        }
    }

    [Theory]
    [InlineData("teacher_small.pth", "teacher")]
    [InlineData("student_final.pth", "student")]
    [InlineData("teacher_medium.pth", "medium")]
    public void PatchDescriptionNetwork_ComputesWhatPyTorchDoes(string file, string name)
    {
        (Network network, _) = Load(file, name == "student" ? NetworkRole.Student : NetworkRole.Teacher);
        var seen = new List<string>();
        using (network)
        using (var tape = new Tape(_backend))
        {
            Tensor input = tape.Allocate(new Shape(1, 3, 33, 33));
            _backend.Upload(Drawn.Image(4, 0, input.Shape), input);
            ((PatchDescriptionNetwork)network).Forward(tape, Variable.Constant(input), (layer, output) =>
            {
                seen.Add(layer);
                Matches($"{name}.{layer}", output.Value);
            });
        }

        Assert.Equal(network.Parameters.Count() / 2, seen.Count);
    }

    [Fact]
    public void Autoencoder_ComputesWhatPyTorchDoes()
    {
        (Network network, _) = Load("autoencoder_final.pth", NetworkRole.Autoencoder);
        var seen = new List<string>();
        using (network)
        using (var tape = new Tape(_backend))
        {
            Tensor input = tape.Allocate(new Shape(1, 3, 256, 256));
            _backend.Upload(Drawn.Image(4, 0, input.Shape), input);
            ((Autoencoder)network).Forward(tape, Variable.Constant(input), 56, observe: (layer, output) =>
            {
                seen.Add(layer);
                Matches($"autoencoder.{layer}", output.Value);
            });
        }

        Assert.Equal(14, seen.Count);
    }

    [Fact]
    public void TeacherOfTrain_ComesFromAnyOfThem()
    {
        foreach (string file in new[] { "teacher_small.pth", "anomalib_2.ckpt" })
        {
            (PatchDescriptionNetwork teacher, string origin) = TeacherFile.Load(
                published[file], PdnSize.Small, padded: false, _backend);
            using (teacher)
            {
                Assert.Equal(file, origin);
                float[] expected = PublishedFolder.Expected(teacher, TeacherSeed).Last().Values;
                TensorAssert.SameBits(
                    expected, PublishedFolder.Download(_backend, teacher.Parameters.Last().Value), file);
            }
        }
    }

    [Theory]
    [InlineData("student_final.pth", PdnSize.Small, "holds no teacher")]
    [InlineData(
        "teacher_medium.pth", PdnSize.Small, "holds a teacher of size Medium but one of size Small is asked for")]
    public void TeacherOfTrain_SaysWhatAFileHoldsInstead(string file, PdnSize size, string reason)
    {
        var error = Assert.Throws<ModelFormatException>(
            () => TeacherFile.Load(published[file], size, padded: false, _backend));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    private (Network Network, ulong Seed) Load(string file, NetworkRole role)
    {
        using WeightsFile weights = WeightsFile.Open(
            file.EndsWith(".onnx", StringComparison.Ordinal) ? published.CompleteOnnx() : published[file]);
        FoundNetwork found = NetworkFinder.Find(weights).Single(network => network.Role == role);
        int channels = role == NetworkRole.Student ? 768 : 384;
        Network network = role == NetworkRole.Autoencoder
            ? new Autoencoder(_backend, trainable: false)
            : new PatchDescriptionNetwork(_backend, found.Size!.Value, channels, padded: false, trainable: false);
        ulong seed = (role, found.Size) switch
        {
            (NetworkRole.Autoencoder, _) => AutoencoderSeed,
            (NetworkRole.Student, _) => StudentSeed,
            (_, PdnSize.Medium) => MediumSeed,
            _ => TeacherSeed,
        };
        found.Load(network, _backend);
        return (network, seed);
    }

    private void Matches(string name, Tensor actual) => Summary.Matches(
        Reference, name, actual.Shape, PublishedFolder.Download(_backend, actual), 2e-5,
        "float rounding over all layers before");

    /// <summary>To the nearest, ties to even, as PyTorch rounds.</summary>
    private static float RoundToBFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return BitConverter.UInt32BitsToSingle((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000);
    }
}
