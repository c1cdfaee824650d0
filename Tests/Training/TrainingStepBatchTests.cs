using EfficientAD.Backends.Cpu;
using EfficientAD.Networks;
using EfficientAD.Tensors;
using EfficientAD.Tests.References;
using EfficientAD.Training;

namespace EfficientAD.Tests.Training;

public class TrainingStepBatchTests
{
    private const int Size = 64;

    /// <remarks>The quantile is taken per sample. Only what dropout does not touch can be compared, whose masks run on
    /// through a batch: the losses of the student's first half and the gradient of that half's last layer.</remarks>
    [Fact]
    public void ABatch_IsTheMeanOfItsSamples()
    {
        Result both = Compute([0, 1]), first = Compute([0]), second = Compute([1]);
        TensorAssert.Close(
            [(first.Hard + second.Hard) / 2.0, (first.Penalty + second.Penalty) / 2.0], [both.Hard, both.Penalty],
            0, 1e-6, "means of positive numbers");

        var mean = new double[first.Gradient.Length];
        for (int i = 0; i < mean.Length; i++) mean[i] = (first.Gradient[i] + second.Gradient[i]) / 2.0;
        double largest = mean.Max(Math.Abs);
        Assert.NotEqual(first.Gradient, second.Gradient);
        TensorAssert.Close(mean, both.Gradient, 1e-5 * largest, because: "sums over 64 outputs in another order");
    }

    private sealed record Result(float Hard, float Penalty, float[] Gradient);

    private static Result Compute(int[] samples)
    {
        using var backend = new CpuBackend();
        using DetectionNetworks networks = Drawn.Networks(backend, PdnSize.Small, trainable: true);

        Recipe recipe = Recipe.Reference with { BatchSize = samples.Length, HardQuantile = 0.99f };
        using var step = new TrainingStep(networks, recipe, new StepDraws(seed: 5), Size, Size);
        for (int view = 0; view < 3; view++)
            for (int i = 0; i < samples.Length; i++)
            {
                // The second sample's scale differs, so that one quantile over both would choose from it alone.
                float[] image = Drawn.Symmetric(4, (ulong)(3 * samples[i] + view), 1 + 2 * samples[i], 3 * Size * Size);
                backend.Upload(image, step.Images.Samples(view * samples.Length + i, 1));
            }

        step.ComputeTeacher();
        StepLosses losses = step.ComputeGradients();
        Tensor gradient = networks.Student.Parameters.ElementAt(6).Gradient!.Samples(0, 384);
        var values = new float[gradient.Shape.Count];
        backend.Download(gradient, values);
        return new Result(losses.Hard, losses.Penalty, values);
    }
}
