using EfficientAD.Autograd;
using EfficientAD.Backends.Cpu;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Tests.Networks;

public class WarmStartTests
{
    [Theory]
    [InlineData(PdnSize.Small, 6)]     // weights and biases of conv1 to conv3
    [InlineData(PdnSize.Medium, 8)]    // of conv1 to conv4; conv5 is twice as wide in a student
    public void HiddenLayersOfTheSameShape_AreTakenOver_TheOthersStay(PdnSize size, int taken)
    {
        using var backend = new CpuBackend(new CpuOptions { Threads = 1 });
        using var teacher = new PatchDescriptionNetwork(backend, size, 384, padded: false, trainable: false);
        using var student = new PatchDescriptionNetwork(backend, size, 768, padded: false, trainable: false);
        teacher.Initialize(new CounterRandom(1, 0));
        student.Initialize(new CounterRandom(2, 0));
        float[][] before = [.. student.Parameters.Select(parameter => Values(backend, parameter))];

        student.CopyHiddenLayersFrom(teacher);
        float[][] after = [.. student.Parameters.Select(parameter => Values(backend, parameter))];
        float[][] expected = [.. teacher.Parameters.Take(taken).Select(parameter => Values(backend, parameter)), .. before[taken..]];
        Assert.Equal(expected, after);
    }

    private static float[] Values(CpuBackend backend, Parameter parameter)
    {
        var values = new float[parameter.Value.Shape.Count];
        backend.Download(parameter.Value, values);
        return values;
    }
}
