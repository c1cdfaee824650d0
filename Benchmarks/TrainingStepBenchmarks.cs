using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Engines;
using EfficientAD.Backends.Cpu;
using EfficientAD.Networks;
using EfficientAD.Training;

namespace EfficientAD.Benchmarks;

/// <summary>One full training step at 256 x 256, batch 1: augmentation, teacher, student, autoencoder, losses, backward, Adam.
/// The plain image's teacher features come from the cache, as from the second epoch on.</summary>
[SimpleJob(RunStrategy.Monitoring, launchCount: 1, warmupCount: 3, iterationCount: 15)]
public class TrainingStepBenchmarks
{
    internal const int ImageCount = 2;

    private readonly ImageSet _images = Images(seed: 1), _penaltyImages = Images(seed: 2);
    private readonly FeatureCache _features = new(ImageCount, long.MaxValue);
    private CpuBackend _backend = null!;
    private DetectionNetworks _networks = null!;
    private TrainingStep _step = null!;
    private int _index;

    [Params(PdnSize.Small, PdnSize.Medium)]
    public PdnSize Size { get; set; }

    [Params(1, 2)]
    public int Threads { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _backend = new CpuBackend(new CpuOptions { Threads = Threads });
        _networks = RandomNetworks.Create(_backend, Size, trainable: true);
        _step = new TrainingStep(_networks, Recipe.Reference, new StepDraws(1), 256, 256);
    }

    [Benchmark]
    public StepLosses Step() => _step.Run(_index++, 1e-4f, _images, _penaltyImages, _features);

    [GlobalCleanup]
    public void Cleanup()
    {
        _step.Dispose();
        _networks.Dispose();
        _backend.Dispose();
    }

    internal static ImageSet Images(ulong seed) =>
        new(ImageCount, i => NaturalTexture.Render(seed, i, size: 256), long.MaxValue) { AtInputScale = true };
}
