using EfficientAD.Backends.Cpu;
using EfficientAD.Networks;
using EfficientAD.Tests.References;
using EfficientAD.Training;

namespace EfficientAD.Tests.Training;

/// <summary>Training by filtering forms and stacked layers against training by plain sums of products.</summary>
public class EngineDriftTests
{
    private const int Size = 64;

    /// <remarks>Adam follows the sign of gradients that are mere rounding: two ways to compute them drift
    /// apart.</remarks>
    [Theory, InlineData(PdnSize.Small), InlineData(PdnSize.Medium)]
    public void Losses_FollowThoseOfPlainSums(PdnSize size)
    {
        const int Steps = 6;
        double[] plain = Train(size, Steps, isPlain: true);
        double[] filtered = Train(size, Steps, isPlain: false);
        Assert.NotEqual(plain[0], plain[^4]);
        float[] actual = Array.ConvertAll(filtered, loss => (float)loss);
        TensorAssert.Close(plain.AsSpan(0, 4), actual.AsSpan(0, 4), 0, 2e-5, "rounding");
        TensorAssert.Close(plain, actual, 0, 5e-3, "rounding that Adam amplifies");
    }

    /// <summary>The four losses of each step.</summary>
    private static double[] Train(PdnSize size, int steps, bool isPlain)
    {
        using var backend = new CpuBackend(new CpuOptions { IsPlain = isPlain });
        using DetectionNetworks networks = Drawn.Networks(backend, size, trainable: true);
        using var step = new TrainingStep(
            networks, Recipe.Reference with { HardQuantile = 0.99f }, new StepDraws(seed: 5), Size, Size);
        var result = new List<double>();
        for (int i = 0; i < steps; i++)
        {
            for (int view = 0; view < 3; view++)
            {
                float[] image = Drawn.Symmetric(4, (ulong)(3 * i + view), 1, 3 * Size * Size);
                backend.Upload(image, step.Images.Samples(view, 1));
            }

            step.Step = i;
            step.ComputeTeacher();
            StepLosses losses = step.ComputeGradients();
            result.AddRange([losses.Hard, losses.Penalty, losses.Autoencoder, losses.StudentAutoencoder]);
            step.Update(1e-4f);
        }

        return [.. result];
    }
}
