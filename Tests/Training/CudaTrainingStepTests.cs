using EfficientAD.Autograd;
using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Backends.Cuda;
using EfficientAD.Imaging;
using EfficientAD.Native;
using EfficientAD.Networks;
using EfficientAD.Tensors;
using EfficientAD.Tests.Backends;
using EfficientAD.Tests.Gpu;
using EfficientAD.Tests.Imaging;
using EfficientAD.Tests.References;
using EfficientAD.Training;
using PtxSimulator;

namespace EfficientAD.Tests.Training;

/// <summary>Whole training steps on the simulator and on the CPU, whose steps other tests compare with
/// PyTorch's.</summary>
public class CudaTrainingStepTests(ITestOutputHelper log)
{
    private const string Reason = "float rounding through all layers, in sums of another order";

    [Fact]
    public void Step_AgreesWithTheCpuAndRepeatsItsBits()
    {
        using CudaBackend inOrder = new SimulatedGpu(checks: Checks.Bounds | Checks.Uninitialized).Open();
        using CudaBackend shuffled = new SimulatedGpu(seed: 3, checks: Checks.None).Open();
        AgreesWithTheCpuAndRepeatsItsBits(PdnSize.Small, inOrder, shuffled);
    }

    [Fact]
    public void StepOfM_AgreesWithTheCpu()
    {
        using CudaBackend cuda = new SimulatedGpu(checks: Checks.None).Open();
        AgreesWithTheCpu(PdnSize.Medium, cuda);
    }

    [Theory, InlineData(PdnSize.Small), InlineData(PdnSize.Medium), Trait(RealGpu.Trait, RealGpu.Needed)]
    public void StepOnAGpu_AgreesWithTheCpuAndRepeatsItsBits(PdnSize size)
    {
        using var stream = new CudaStream(RealGpu.OpenOrSkip());
        using var cuda = new CudaBackend(RealGpu.OpenOrSkip(), stream);
        AgreesWithTheCpuAndRepeatsItsBits(size, cuda, cuda);
    }

    /// <summary>Mixed precision, by graph, against float32 on the CPU: what it changes in the losses is a small part of
    /// what other first weights and other draws change.</summary>
    /// <remarks>The first step is given kernel by kernel, the second captured, the third replays the graph.</remarks>
    [Fact]
    public void StepsByGraphInHalf_StayNearThoseOfTheCpu()
    {
        using CudaBackend cuda =
            new SimulatedGpu(checks: Checks.None).Open(new CudaOptions { Precision = CudaPrecision.Half });
        using var cpu = new CpuBackend();
        (float[] expected, float[] expectedWeights) = TakeSteps(cpu);
        (float[] other, _) = TakeSteps(cpu, seed: 6);
        (float[] losses, float[] weights) = TakeSteps(cuda);
        double ofSeeds = Difference(expected, other), ofHalf = Difference(expected, losses);
        log.WriteLine($"Half precision changes losses by {ofHalf:P4} on average, another seed by {ofSeeds:P2}.");
        Assert.InRange(ofHalf, 0, ShareOfSeeds * ofSeeds);
        TensorAssert.Close(
            expectedWeights, weights, 4 * GraphSteps * GraphRate,
            because: "Adam's first steps have one size, whatever a gradient's");
        Assert.InRange(expectedWeights.Zip(weights, (a, b) => Math.Abs(a - b)).Average(), 0, 0.1 * GraphRate);

        static double Difference(float[] a, float[] b) => a.Zip(b, (x, y) => Math.Abs((double)y / x - 1)).Average();
    }

    private static void AgreesWithTheCpuAndRepeatsItsBits(PdnSize size, CudaBackend cuda, CudaBackend again)
    {
        Result first = AgreesWithTheCpu(size, cuda), second = Compute(again, size);
        TensorAssert.SameBits(first.Losses, second.Losses, "the losses, under another order of warps");
        for (int i = 0; i < first.Parameters.Count; i++)
            TensorAssert.SameBits(first.Parameters[i], second.Parameters[i], $"parameter {i} after the step");
    }

    private static Result AgreesWithTheCpu(PdnSize size, CudaBackend cuda)
    {
        using var cpu = new CpuBackend();
        Result expected = Compute(cpu, size);
        Result first = Compute(cuda, size);
        TensorAssert.Close(expected.Losses, first.Losses, 0, 1e-5, Reason);
        for (int i = 0; i < expected.Gradients.Count; i++)
        {
            double largest = expected.Gradients[i].Max(Math.Abs);
            TensorAssert.Close(
                expected.Gradients[i], first.Gradients[i], 1e-4 * largest, because: $"gradient {i}: {Reason}");
        }

        return first;
    }

    private const int GraphSteps = 3;
    private const float GraphRate = 1e-4f;
    private const double ShareOfSeeds = 0.05;

    private static (float[] Losses, float[] Weights) TakeSteps(IBackend backend, int seed = 5)
    {
        const int Size = 33, Images = 2;
        using DetectionNetworks networks = Drawn.Networks(backend, PdnSize.Small, trainable: true);
        if (seed != 5) networks.Student.Filled(backend, (ulong)seed);
        using var step = new TrainingStep(
            networks, Recipe.Reference with { HardQuantile = 0.99f }, new StepDraws((ulong)seed), Size, Size);
        ImageSet images = NoiseImages(1), penalty = NoiseImages(2);
        using var features = new FeatureCache(Images, long.MaxValue);
        float[] losses = [.. Enumerable.Range(0, GraphSteps).SelectMany(i =>
        {
            StepLosses of = step.Run(i, GraphRate, images, penalty, features);
            return new[] { of.Hard, of.Penalty, of.Autoencoder, of.StudentAutoencoder };
        })];
        Assert.Equal(losses[^1], step.LastLosses.StudentAutoencoder);
        return (losses, Download(backend, networks.Student.Layers[^1].Weights.Value));

        static ImageSet NoiseImages(uint seed) =>
            new(Images, i => new RgbImage(47, 52, NoiseImage.Bytes(3 * 47 * 52, seed + 10 * (uint)i)), long.MaxValue);
    }

    private sealed record Result(float[] Losses, IReadOnlyList<float[]> Gradients, IReadOnlyList<float[]> Parameters);

    private static Result Compute(IBackend backend, PdnSize size)
    {
        const int Size = 40;
        using DetectionNetworks networks = Drawn.Networks(backend, size, trainable: true);
        using var step = new TrainingStep(
            networks, Recipe.Reference with { HardQuantile = 0.99f }, new StepDraws(seed: 5), Size, Size);
        for (int view = 0; view < 3; view++)
            backend.Upload(Drawn.Symmetric(4, (ulong)view, 2, 3 * Size * Size), step.Images.Samples(view, 1));

        step.ComputeTeacher();
        StepLosses losses = step.ComputeGradients();
        Parameter[] parameters = [.. networks.Student.Parameters, .. networks.Autoencoder.Parameters];
        float[][] gradients = [.. parameters.Select(parameter => Download(backend, parameter.Gradient!))];
        step.Update(1e-4f);
        return new Result(
            [losses.Hard, losses.Penalty, losses.Autoencoder, losses.StudentAutoencoder], gradients,
            [.. parameters.Select(parameter => Download(backend, parameter.Value))]);
    }

    private static float[] Download(IBackend backend, Tensor tensor)
    {
        var values = new float[tensor.Shape.Count];
        backend.Download(tensor, values);
        return values;
    }
}
