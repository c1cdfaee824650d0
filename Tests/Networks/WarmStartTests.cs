using EfficientAD.Autograd;
using EfficientAD.Backends.Cpu;
using EfficientAD.Networks;
using EfficientAD.Tensors;

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
        float[][] source = [.. teacher.Parameters.Select(parameter => Values(backend, parameter))];
        float[][] before = [.. student.Parameters.Select(parameter => Values(backend, parameter))];

        student.CopyHiddenLayersFrom(teacher);
        float[][] after = [.. student.Parameters.Select(parameter => Values(backend, parameter))];
        int last = source.Length - 2;  // weights and bias of the last layer
        for (int i = 0; i < last; i++) Assert.Equal([.. source[i], .. before[i][source[i].Length..]], after[i]);
        Assert.Equal(before[last..], after[last..]);
    }

    private static float[] Values(CpuBackend backend, Parameter parameter)
    {
        var values = new float[parameter.Value.Shape.Count];
        backend.Download(parameter.Value, values);
        return values;
    }
}
