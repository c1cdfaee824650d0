using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Engines;
using EfficientAD.Detection;
using EfficientAD.Networks;

namespace EfficientAD.Benchmarks;

/// <summary>From a model's file, in the system's cache, to a detector that is ready.</summary>
[SimpleJob(RunStrategy.Monitoring, launchCount: 1, warmupCount: 2, iterationCount: 10)]
public class ModelLoadBenchmarks
{
    private RandomModel _model = null!;

    [Params(PdnSize.Small, PdnSize.Medium)]
    public PdnSize Size { get; set; }

    [Params(DetectionMode.Fast, DetectionMode.Precise, DetectionMode.Plain)]
    public DetectionMode Mode { get; set; }

    [GlobalSetup]
    public void Setup() => _model = new RandomModel(Size, input: 256);

    [Benchmark]
    public void Load() => _model.Load(Mode, Environment.ProcessorCount).Dispose();

    [GlobalCleanup]
    public void Cleanup() => _model.Dispose();
}
