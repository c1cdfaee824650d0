using EfficientAD.Backends;
using EfficientAD.Backends.Cuda;
using EfficientAD.Detection;
using EfficientAD.Models;
using EfficientAD.Tests.Native;
using EfficientAD.Training;
using PtxSimulator;

namespace EfficientAD.Tests.Training;

/// <summary>A whole training run on the simulator: statistics, steps, quantiles, threshold, model file.</summary>
public class CudaTrainerTests
{
    private const int Steps = 1;

    [Fact]
    public void Model_JudgesAsTheOneThatTheCpuTrained()
    {
        using TinyTask onCpu = new(trainingImages: 2), onCuda = new(trainingImages: 2);
        ModelInformation expected = Train(onCpu, null);
        ModelInformation actual = TrainOnCuda(onCuda);
        Assert.Equal(expected.Deviations, actual.Deviations);
        Assert.Equal(expected.Calibration.Images, actual.Calibration.Images);

        // Adam's first steps have the size of the learning rate whatever the gradient's: where that is nearly zero, its
        // rounding decides the sign.
        float threshold = expected.Calibration.Threshold;
        Assert.Equal(threshold, actual.Calibration.Threshold, 0.02f * threshold);
        (float good, float bad) = Scores(onCpu.ModelPath);
        (float goodOnCuda, float badOnCuda) = Scores(onCuda.ModelPath);
        Assert.Equal(good, goodOnCuda, 0.02f * MathF.Abs(good));
        Assert.Equal(bad, badOnCuda, 0.02f * MathF.Abs(bad));
    }

    private static ModelInformation TrainOnCuda(TinyTask task)
    {
        using var simulated = new SimulatedContext(
            options: new SimulatedDeviceOptions { Checks = Checks.None, Counters = false });
        using var backend = new CudaBackend(simulated.Context, simulated.Stream);
        return Train(task, backend);
    }

    private static ModelInformation Train(TinyTask task, IBackend? backend)
    {
        TrainingOptions options = task.Options(Steps) with { Device = new Device(DeviceKind.Cpu) };
        using var trainer = new EfficientADTrainer(task.Dataset, options, backend);
        if (backend is not null) Assert.Equal(backend.Name, trainer.Processor);
        return trainer.Run(progress: null, CancellationToken.None);
    }

    private static (float Good, float Bad) Scores(string model)
    {
        using var detector = AnomalyDetector.Load(model, new DetectorOptions { Device = new Device(DeviceKind.Cpu) });
        return (detector.Detect(TinyTask.Part(60).View).Score, detector.Detect(TinyTask.Part(60, (30, 30)).View).Score);
    }
}
