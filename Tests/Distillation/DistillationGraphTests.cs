using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Backends.Cuda;
using EfficientAD.Distillation;
using EfficientAD.Tensors;
using EfficientAD.Tests.Backends;
using EfficientAD.Tests.References;
using EfficientAD.Training;
using PtxSimulator;

namespace EfficientAD.Tests.Distillation;

/// <summary>Steps of a distillation by captured graphs on the simulator, and on the CPU.</summary>
public class DistillationGraphTests
{
    private const int Steps = 6, Side = 37, MapSide = 2;
    private const float Rate = 1e-4f;

    [Fact]
    public void Steps_AreThoseOfTheCpu_AndEveryLossIsToldOnce()
    {
        using var cpu = new CpuBackend();
        using CudaBackend cuda = new SimulatedGpu(checks: Checks.None).Open();
        (float loss, float[] weights, float[] average) = Take(cpu, Rate);
        (float lossOfGraph, float[] weightsOfGraph, float[] averageOfGraph) = Take(cuda, Rate);
        // A mean over all steps: one told twice or not at all would show.
        Assert.Equal(loss, lossOfGraph, 1e-4f * loss);
        TensorAssert.Close(
            weights, weightsOfGraph, 2 * Steps * Rate, because: "the sign of a gradient that is mere rounding");
        Assert.InRange(weights.Zip(weightsOfGraph, (a, b) => Math.Abs(a - b)).Average(), 0, 0.1 * Rate);
        Assert.InRange(average.Zip(averageOfGraph, (a, b) => Math.Abs(a - b)).Average(), 0, 0.1 * Rate);
    }

    [Fact]
    public void LossThatIsNotFinite_IsToldBeforeAnythingIsSaved()
    {
        using CudaBackend cuda = new SimulatedGpu(checks: Checks.None).Open();
        var error = Assert.Throws<TrainingDivergedException>(() => Take(cuda, float.PositiveInfinity));
        Assert.Contains("The loss of step 2 is NaN", error.Message, StringComparison.Ordinal);
    }

    private static (float MeanLoss, float[] Weights, float[] Average) Take(IBackend backend, float rate)
    {
        var input = new Shape(1, 3, Side, Side);
        var target = new Shape(1, 384, MapSide, MapSide);
        using var state = new DistillationState(
            backend, new DistillationOptions { TeacherPath = "", CacheFolder = "" });
        state.Network.Filled(backend, 1);
        backend.Fill(1, state.Deviation);
        using var step = new DistillationStep(backend, state, input, target, batchSize: 1, weightDecay: 1e-5f);
        for (int i = 0; i < Steps; i++)
        {
            var batch = new DistillationBatch(
                Drawn.Symmetric(4, (ulong)i, 2, input.Count), Drawn.Symmetric(5, (ulong)i, 1, target.Count));
            step.Run(batch, rate);
        }

        step.Settle();
        state.AddPoint(heldBackLoss: 0);
        return (
            state.Curve[^1].Loss, backend.Download(state.Network.Layers[^1].Weights.Value),
            backend.Download(state.Average.Values[0]));
    }
}
