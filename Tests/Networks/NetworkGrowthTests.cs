using EfficientAD.Autograd;
using EfficientAD.Backends.Cpu;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Networks;
using EfficientAD.Tensors;
using EfficientAD.Training;

namespace EfficientAD.Tests.Networks;

public class NetworkGrowthTests
{
    private const int Side = 61;    // 8 outputs a side

    [Theory, InlineData(false), InlineData(true)]
    public void GrownNetwork_ComputesWhatTheSmallOneDid(bool padded)
    {
        using var backend = new CpuBackend(new CpuOptions { Threads = 1 });
        (PatchDescriptionNetwork small, _) = TeacherFile.Load(null, PdnSize.Small, padded, backend);
        using (small)
        using (var large = new PatchDescriptionNetwork(
            backend, PdnSize.Medium, small.Outputs, padded, trainable: false))
        {
            large.Initialize(new CounterRandom(7, 0));
            float[] before = Features(backend, large);
            NetworkGrowth.Grow(backend, small, large);
            float[] expected = Features(backend, small), grown = Features(backend, large);
            TensorAssert.Close(
                expected, grown, absolute: 2e-5, because: "features of a few units, moved by 4 and back in float");
            Assert.Contains(expected, value => value < -0.5f);
            Assert.NotEqual(before[0], grown[0]);
        }
    }

    [Fact]
    public void OnlySmallGrowsToMedium()
    {
        using var backend = new CpuBackend(new CpuOptions { Threads = 1 });
        using var small = new PatchDescriptionNetwork(backend, PdnSize.Small, 384, padded: false, trainable: false);
        var refused = Assert.Throws<ArgumentException>(() => NetworkGrowth.Grow(backend, small, small));
        Assert.Contains("size Small with 384 outputs", refused.Message);
    }

    private static float[] Features(CpuBackend backend, PatchDescriptionNetwork network)
    {
        using var tape = new Tape(backend);
        Tensor image = tape.Allocate(new Shape(1, 3, Side, Side));
        backend.Preprocess(NaturalTexture.Render(1, 0, Side).View, ColourAdjustment.None, Side, Side, image);
        Tensor features = network.Forward(tape, Variable.Constant(image)).Value;
        tape.Forward();
        var values = new float[features.Shape.Count];
        backend.Download(features, values);
        return values;
    }
}
