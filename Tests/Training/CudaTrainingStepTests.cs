using EfficientAD.Autograd;
using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Backends.Cuda;
using EfficientAD.Native;
using EfficientAD.Networks;
using EfficientAD.Tensors;
using EfficientAD.Tests.Backends;
using EfficientAD.Tests.Gpu;
using EfficientAD.Tests.References;
using EfficientAD.Training;
using PtxSimulator;

namespace EfficientAD.Tests.Training;

/// <summary>Whole training steps on the simulator and on the CPU, whose steps other tests compare with
/// PyTorch's.</summary>
public class CudaTrainingStepTests
{
    private const string Reason = "float rounding through all layers, in sums of another order";

    [Theory, InlineData(PdnSize.Small, Checks.Bounds | Checks.Uninitialized), InlineData(PdnSize.Medium, Checks.None)]
    public void Step_AgreesWithTheCpuAndRepeatsItsBits(PdnSize size, Checks checks)
    {
        using CudaBackend inOrder = new SimulatedGpu(checks: checks).Open();
        using CudaBackend shuffled = new SimulatedGpu(seed: 3, checks: Checks.None).Open();
        AgreesWithTheCpuAndRepeatsItsBits(size, inOrder, shuffled);
    }

    [Theory, InlineData(PdnSize.Small), InlineData(PdnSize.Medium), Trait(RealGpu.Trait, RealGpu.Needed)]
    public void StepOnAGpu_AgreesWithTheCpuAndRepeatsItsBits(PdnSize size)
    {
        using var stream = new CudaStream(RealGpu.OpenOrSkip());
        using var cuda = new CudaBackend(RealGpu.OpenOrSkip(), stream);
        AgreesWithTheCpuAndRepeatsItsBits(size, cuda, cuda);
    }

    private static void AgreesWithTheCpuAndRepeatsItsBits(PdnSize size, CudaBackend cuda, CudaBackend again)
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

        Result second = Compute(again, size);
        TensorAssert.SameBits(first.Losses, second.Losses, "the losses, under another order of warps");
        for (int i = 0; i < first.Parameters.Count; i++)
            TensorAssert.SameBits(first.Parameters[i], second.Parameters[i], $"parameter {i} after the step");
    }

    private sealed record Result(float[] Losses, IReadOnlyList<float[]> Gradients, IReadOnlyList<float[]> Parameters);

    private static Result Compute(IBackend backend, PdnSize size)
    {
        const int Size = 40;
        using var teacher = new PatchDescriptionNetwork(backend, size, 384, padded: false, trainable: false);
        using var student = new PatchDescriptionNetwork(backend, size, 768, padded: false, trainable: true);
        using var autoencoder = new Autoencoder(backend, trainable: true);
        teacher.Filled(backend, 1);
        student.Filled(backend, 2);
        autoencoder.Filled(backend, 3);
        using Tensor mean = backend.Allocate(Shape.Vector(384)), deviation = backend.Allocate(Shape.Vector(384));
        backend.Fill(1, deviation);
        using var step = new TrainingStep(
            backend, Recipe.Reference with { HardQuantile = 0.99f }, new StepDraws(seed: 5), teacher, student,
            autoencoder, mean, deviation, Size, Size);
        for (int view = 0; view < 3; view++)
            backend.Upload(Drawn.Symmetric(4, (ulong)view, 2, 3 * Size * Size), step.Images.Samples(view, 1));

        step.ComputeTeacher();
        StepLosses losses = step.ComputeGradients();
        Parameter[] parameters = [.. student.Parameters, .. autoencoder.Parameters];
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
