using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Detection;
using EfficientAD.Models;
using EfficientAD.Networks;

namespace EfficientAD.Benchmarks;

/// <summary>A model file with random weights, deleted in the end: the time does not depend on the weights.</summary>
internal sealed class RandomModel : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("efficientad").FullName;

    /// <param name="input">Side of the networks' input in pixels.</param>
    public RandomModel(PdnSize size, int input)
    {
        Path = System.IO.Path.Combine(_folder, "model.safetensors");
        using var backend = new CpuBackend(new CpuOptions { Threads = 1 });
        using DetectionNetworks networks = RandomNetworks.Create(backend, size, trainable: false);
        ModelFile.Save(Path, Information(size, input), networks);
    }

    public string Path { get; }

    public AnomalyDetector Load(DetectionMode mode, int threads, int batch = 1) => AnomalyDetector.Load(
        Path,
        new DetectorOptions { Device = new Device(DeviceKind.Cpu), Threads = threads, Mode = mode, Batch = batch });

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static ModelInformation Information(PdnSize size, int input) => new()
    {
        Size = size,
        Padded = false,
        MapOrder = MapOrder.Reference,
        InputHeight = input,
        InputWidth = input,
        ImageHeight = input,
        ImageWidth = input,
        Scaling = new MapScaling(0, 1, 0, 1),
        Calibration = new Calibration(1, 1, Calibration.DefaultFalsePositiveRate, 1),
        Recipe = "none",
        Deviations = "",
        Seed = 1,
        Steps = 0,
        Data = "random weights",
        DataHash = "none",
        TrainingImages = 1,
        ValidationImages = 1,
        Teacher = "random",
        Penalty = "none",
    };
}
