using EfficientAD.Autograd;
using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Networks;
using EfficientAD.Tensors;
using EfficientAD.Training;

namespace EfficientAD.Tests.Distillation;

public class ShippedTeacherTests
{
    /// <summary>A teacher that does not tell patches apart would make every model blind.</summary>
    [Fact]
    public void Features_VaryInEveryChannel()
    {
        using var backend = new CpuBackend();
        (PatchDescriptionNetwork teacher, _) = TeacherFile.Load(null, PdnSize.Small, padded: false, backend);
        using (teacher)
        using (var tape = new Tape(backend))
        {
            Tensor image = tape.Allocate(new Shape(1, 3, 128, 128));
            backend.Preprocess(NaturalTexture.Render(1, 0, 128).View, ColourAdjustment.None, 128, 128, image);
            Tensor features = teacher.Forward(tape, Variable.Constant(image)).Value;
            var statistics = new ChannelStatistics(PatchDescriptionNetwork.TeacherChannels);
            statistics.Add(backend, features);
            Assert.All(statistics.Deviation(), deviation => Assert.InRange(deviation, 0.01f, 10f));
        }
    }

    /// <summary>An earlier one had lost nine tenths of a layer, and nothing else told.</summary>
    [Fact]
    public void Units_FireInEveryHiddenLayer()
    {
        using var backend = new CpuBackend();
        (PatchDescriptionNetwork teacher, _) = TeacherFile.Load(null, PdnSize.Small, padded: false, backend);
        using (teacher)
        using (var tape = new Tape(backend))
        {
            Tensor images = tape.Allocate(new Shape(4, 3, 128, 128));
            for (int i = 0; i < 4; i++)
                backend.Preprocess(NaturalTexture.Render(1, i, 128).View, ColourAdjustment.None, 128, 128, images.Samples(i, 1));
            foreach (Variable values in teacher.HiddenValues(tape, Variable.Constant(images)))
            {
                Shape shape = values.Value.Shape;
                float[] maps = backend.Download(values.Value);
                var fires = new bool[shape.C];
                for (int i = 0; i < maps.Length; i++) fires[i / shape.Plane % shape.C] |= maps[i] > 0;
                Assert.InRange(fires.Count(fired => fired), shape.C * 95 / 100, shape.C);
            }
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
}
