using EfficientAD.Autograd;
using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Networks;
using EfficientAD.Tensors;
using EfficientAD.Training;

namespace EfficientAD.Tests.Distillation;

public sealed class ShippedTeacherTests : IDisposable
{
    private readonly CpuBackend _backend = new();
    private readonly PatchDescriptionNetwork _teacher;
    private readonly Tape _tape;

    public ShippedTeacherTests()
    {
        (_teacher, _) = TeacherFile.Load(null, PdnSize.Small, padded: false, _backend);
        _tape = new Tape(_backend);
    }

    /// <summary>A teacher that does not tell patches apart would make every model blind.</summary>
    [Fact]
    public void Features_VaryInEveryChannel()
    {
        Tensor features = _teacher.Forward(_tape, Variable.Constant(Textures(1))).Value;
        var statistics = new ChannelStatistics(PatchDescriptionNetwork.TeacherChannels);
        statistics.Add(_backend, features);
        Assert.All(statistics.Deviation(), deviation => Assert.InRange(deviation, 0.01f, 10f));
    }

    /// <summary>An earlier one had lost nine tenths of a layer, and nothing else told.</summary>
    [Fact]
    public void Units_FireInEveryHiddenLayer()
    {
        foreach (Variable values in _teacher.HiddenValues(_tape, Variable.Constant(Textures(4))))
        {
            Shape shape = values.Value.Shape;
            float[] maps = _backend.Download(values.Value);
            var fires = new bool[shape.C];
            for (int i = 0; i < maps.Length; i++) fires[i / shape.Plane % shape.C] |= maps[i] > 0;
            Assert.InRange(fires.Count(fired => fired), shape.C * 95 / 100, shape.C);
        }
    }

    [Fact]
    public void File_SaysWhereItComesFrom()
    {
        using Stream resource = typeof(TeacherFile).Assembly.GetManifestResourceStream("pdn_small.safetensors")!;
        using SafetensorsFile file = SafetensorsFile.Open(resource, "pdn_small.safetensors");
        Assert.Contains("efficientad distill", file.Metadata["command"]);
        Assert.Contains("non-commercial", file.Metadata["licence"]);
        Assert.StartsWith("sha256:961d9f8d7cc86c5f", file.Metadata["backbone"]);
    }

    public void Dispose()
    {
        _tape.Dispose();
        _teacher.Dispose();
        _backend.Dispose();
    }

    private Tensor Textures(int count)
    {
        Tensor images = _tape.Allocate(new Shape(count, 3, 128, 128));
        for (int i = 0; i < count; i++)
        {
            _backend.Preprocess(
                NaturalTexture.Render(1, i, 128).View, ColourAdjustment.None, 128, 128, images.Samples(i, 1));
        }

        return images;
    }
}
