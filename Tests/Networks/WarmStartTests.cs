using EfficientAD.Autograd;
using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Imaging;
using EfficientAD.Networks;
using EfficientAD.Tensors;
using EfficientAD.Training;

namespace EfficientAD.Tests.Networks;

public class WarmStartTests
{
    [Theory]
    [InlineData(PdnSize.Small)]
    [InlineData(PdnSize.Medium)]  // conv5 is twice as wide in a student: its first half is taken over
    public void HiddenLayers_AreTakenOver_TheRestStays(PdnSize size)
    {
        using var backend = new CpuBackend(new CpuOptions { Threads = 1 });
        using var teacher = new PatchDescriptionNetwork(backend, size, 384, padded: false, trainable: false);
        using var student = new PatchDescriptionNetwork(backend, size, 768, padded: false, trainable: false);
        teacher.Initialize(new CounterRandom(1, 0));
        student.Initialize(new CounterRandom(2, 0));
        float[][] source = [.. teacher.Parameters.Select(parameter => backend.Download(parameter.Value))];
        float[][] before = [.. student.Parameters.Select(parameter => backend.Download(parameter.Value))];

        student.CopyHiddenLayersFrom(teacher);
        float[][] after = [.. student.Parameters.Select(parameter => backend.Download(parameter.Value))];
        int last = source.Length - 2;  // weights and bias of the last layer
        for (int i = 0; i < last; i++) Assert.Equal([.. source[i], .. before[i][source[i].Length..]], after[i]);
        Assert.Equal(before[last..], after[last..]);
    }

    /// <summary>What two images make of the last hidden layer differs, and nothing is said of them yet. PyTorch's
    /// weights make the same of both.</summary>
    [Fact]
    public void Autoencoder_SeesTheImageFromTheStart()
    {
        using var backend = new CpuBackend(new CpuOptions { Threads = 2 });
        using var autoencoder = new Autoencoder(backend, trainable: false);
        using var tape = new Tape(backend);
        Tensor image = tape.Allocate(Autoencoder.Input), hidden = image;
        Variable output = autoencoder.Forward(
            tape, Variable.Constant(image), Autoencoder.OutputSize(padded: false),
            observe: (name, value) => hidden = name == "deconv7" ? value.Value : hidden);

        autoencoder.Initialize(new CounterRandom(3, 0));
        Assert.InRange(Contrast(), 0, 1e-3);
        autoencoder.InitializeKeepingVariance(new CounterRandom(3, 0));
        Assert.InRange(Contrast(), 0.05, 2);
        Assert.All(backend.Download(output.Value), value => Assert.Equal(0, value));

        double Contrast()
        {
            (float[] first, float[] second) = (Hidden(1), Hidden(2));
            return first.Zip(second, (a, b) => Math.Abs(a - b)).Average() / first.Average(Math.Abs);
        }

        float[] Hidden(int index)
        {
            RgbImage shown = NaturalTexture.Render(1, index, Autoencoder.InputSize);
            backend.Preprocess(
                shown.View, ColourAdjustment.None, Autoencoder.InputSize, Autoencoder.InputSize, image);
            tape.Forward();
            return backend.Download(hidden);
        }
    }
}
