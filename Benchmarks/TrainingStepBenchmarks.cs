using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Engines;
using EfficientAD.Backends.Cpu;
using EfficientAD.Networks;
using EfficientAD.Training;

namespace EfficientAD.Benchmarks;

/// <summary>One full training step at 256 x 256, batch 1.</summary>
[SimpleJob(RunStrategy.Monitoring, launchCount: 1, warmupCount: 3, iterationCount: 15)]
public class TrainingStepBenchmarks
{
    private CpuBackend _backend = null!;
    private RandomTraining _training = null!;

    [Params(PdnSize.Small, PdnSize.Medium)]
    public PdnSize Size { get; set; }

    [Params(1, 2)]
    public int Threads { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _backend = new CpuBackend(new CpuOptions { Threads = Threads });
        _training = new RandomTraining(_backend, Size);
    }

    [Benchmark]
    public StepLosses Step() => _training.Step();

    [GlobalCleanup]
    public void Cleanup()
    {
        _training.Dispose();
        _backend.Dispose();
    }
}
