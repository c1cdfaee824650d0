using EfficientAD.Autograd;
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
