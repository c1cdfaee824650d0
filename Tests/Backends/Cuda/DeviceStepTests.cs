using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Backends.Cuda;
using EfficientAD.Backends.Cuda.Training;
using EfficientAD.Imaging;
using EfficientAD.Tensors;
using EfficientAD.Tests.Imaging;
using EfficientAD.Training;

namespace EfficientAD.Tests.Backends.Cuda;

/// <summary>A small problem trained by captured steps, and on the CPU step by step: views, dropout's masks, Adam's
/// corrections and the delayed losses.</summary>
public class DeviceStepTests
{
    private const int Steps = 7;
    private const ulong Streams = 16;
    private const float DropoutRate = 0.3f;

    private static readonly CounterRandom Random = new(7, 100);
    private static readonly Shape Plain = new(1, 3, 17, 23), Cut = new(1, 3, 9, 12);

    [Theory, InlineData(long.MaxValue, 0), InlineData(0, 3)]
    public void Steps_AreThoseOfTheCpu(long imageBudget, int seed)
    {
        using var cpu = new CpuBackend(new CpuOptions { Threads = 1 });
        using CudaBackend cuda = new SimulatedGpu(seed: seed).Open();
        using Problem expected = new(cpu), actual = new(cuda);
        using var step = new DeviceStep(
            cuda, [actual.Plain, actual.Cut], [actual.Loss], imageBudget, () => actual.Compute(Random, 1));
        var losses = new float[Steps];
        ImageSet images = Images();
        for (int i = 0; i < Steps; i++)
        {
            ColourAdjustment adjustment = AdjustmentOf(i);
            cpu.Preprocess(images[i % 2].View, ColourAdjustment.None, Plain.H, Plain.W, expected.Plain);
            cpu.Preprocess(images[(i + 1) % 2].View, adjustment, 2 * Cut.H, 2 * Cut.W, expected.Cut);
            expected.Compute(Random with { Stream = Random.Stream + Streams * (ulong)i }, i + 1);
            losses[i] = cpu.Download(expected.Loss)[0];

            step.Begin(Streams * (ulong)i, Problem.Settings, i + 1);
            step.Add(step.Find(images, i % 2), ColourAdjustment.None);
            step.Add(step.Find(images, (i + 1) % 2), adjustment, zoom: 2);
            step.SendDraws();
            int told = i < StepGraph.Delay ? i : i - StepGraph.Delay;
            Assert.Equal(losses[told], step.Run()[0], 1e-5f * losses[told]);
        }

        Assert.Equal(losses[^1], step.AwaitLosses()[0], 1e-5f * losses[^1]);
        TensorAssert.SameBits(cpu.Download(expected.Plain), cuda.Download(actual.Plain), "the plain view");
        TensorAssert.SameBits(
            cpu.Download(expected.Cut), cuda.Download(actual.Cut), "the view cut out of a larger one");
        TensorAssert.Close(
            cpu.Download(expected.Parameter), cuda.Download(actual.Parameter), 1e-6,
            because: "roundings of seven updates");
    }

    [Fact]
    public void StepWithoutItsViews_IsRefused()
    {
        using CudaBackend cuda = new SimulatedGpu().Open();
        using Problem problem = new(cuda);
        using var step = new DeviceStep(cuda, [problem.Plain, problem.Cut], [problem.Loss], 0, () => { });
        step.Begin(0, Problem.Settings, 1);
        Assert.Throws<InvalidOperationException>(step.SendDraws);
    }

    private static ImageSet Images() => new(
        2, i => i == 0 ? new(40, 31, NoiseImage.Bytes(3 * 40 * 31, 1)) : new(25, 60, NoiseImage.Bytes(3 * 25 * 60, 2)),
        long.MaxValue);

    private static ColourAdjustment AdjustmentOf(int step) => (step % 5) switch
    {
        0 => new(ColourAdjustmentKind.Contrast, 0.8f),
        1 => ColourAdjustment.Grey,
        2 => new(ColourAdjustmentKind.Saturation, 1.2f),
        3 => new(ColourAdjustmentKind.Brightness, 0.9f),
        _ => ColourAdjustment.None,
    };

    /// <summary>A parameter that follows the dropped-out image.</summary>
    private sealed class Problem(IBackend backend) : IDisposable
    {
        public static readonly AdamSettings Settings = new(1e-2f, 1e-5f);

        private static readonly Shape Number = new(1, 1, 1, 1);

        private readonly Tensor _dropped = backend.Allocate(DeviceStepTests.Plain), _ofOne = backend.Allocate(Number);
        private AdamTensors[]? _parameters;

        public Tensor Plain { get; } = backend.Allocate(DeviceStepTests.Plain);

        public Tensor Cut { get; } = backend.Allocate(DeviceStepTests.Cut);

        public Tensor Parameter { get; } = backend.Allocate(DeviceStepTests.Plain);

        public Tensor Loss { get; } = backend.Allocate(Number);

        public void Compute(CounterRandom random, int step)
        {
            _parameters ??=
            [
                new AdamTensors(
                    backend.Allocate(Parameter.Shape), backend.Allocate(Parameter.Shape),
                    backend.Allocate(Parameter.Shape), Parameter),
            ];
            backend.Fill(1, _ofOne);
            backend.Dropout(Plain, DropoutRate, random, _dropped);
            backend.MeanSquaredError(Parameter, _dropped, Loss);
            backend.MeanSquaredErrorBackward(Parameter, _dropped, _ofOne, _parameters[0].Gradient, null);
            backend.Adam(_parameters, Settings, step);
        }

        public void Dispose()
        {
            foreach (AdamTensors tensors in _parameters ?? [])
            {
                foreach (Tensor tensor in (Tensor[])[tensors.Gradient, tensors.FirstMoment, tensors.SecondMoment])
                    tensor.Dispose();
            }

            foreach (Tensor tensor in (Tensor[])[_dropped, _ofOne, Plain, Cut, Parameter, Loss]) tensor.Dispose();
        }
    }
}
