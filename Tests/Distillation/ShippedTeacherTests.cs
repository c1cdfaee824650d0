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
    private readonly Tape _tape;

    public ShippedTeacherTests() => _tape = new Tape(_backend);

    public static TheoryData<PdnSize> Sizes => new(Enum.GetValues<PdnSize>());

    /// <summary>A teacher that does not tell patches apart would make every model blind.</summary>
    [Theory, MemberData(nameof(Sizes))]
    public void Features_VaryInEveryChannel(PdnSize size)
    {
        Tensor features = Shipped(size).Forward(_tape, Variable.Constant(Textures(1))).Value;
        var statistics = new ChannelStatistics(PatchDescriptionNetwork.TeacherChannels);
        statistics.Add(_backend, features);
        Assert.All(statistics.Deviation(), deviation => Assert.InRange(deviation, 0.01f, 10f));
    }

    /// <summary>An earlier one had lost nine tenths of a layer, and nothing else told.</summary>
    [Theory, MemberData(nameof(Sizes))]
    public void Units_FireInEveryHiddenLayer(PdnSize size)
    {
        foreach (Variable values in Shipped(size).HiddenValues(_tape, Variable.Constant(Textures(4))))
        {
            Shape shape = values.Value.Shape;
            float[] maps = _backend.Download(values.Value);
            var fires = new bool[shape.C];
            for (int i = 0; i < maps.Length; i++) fires[i / shape.Plane % shape.C] |= maps[i] > 0;
            Assert.InRange(fires.Count(fired => fired), shape.C * 95 / 100, shape.C);
        }
    }

    [Theory, MemberData(nameof(Sizes))]
    public void File_SaysWhereItComesFrom(PdnSize size)
    {
        using SafetensorsFile file = TeacherFile.OpenShipped(size);
        Assert.Contains("efficientad distill", file.Metadata["command"]);
        Assert.Contains("non-commercial", file.Metadata["licence"]);
        Assert.StartsWith("sha256:961d9f8d7cc86c5f", file.Metadata["backbone"]);
    }

    public void Dispose()
    {
        _tape.Dispose();
        _backend.Dispose();
    }

    private PatchDescriptionNetwork Shipped(PdnSize size)
    {
        PatchDescriptionNetwork teacher = TeacherFile.Load(null, size, padded: false, _backend).Teacher;
        _tape.Own(teacher);
        return teacher;
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
