using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Engines;
using EfficientAD.Backends.Cpu;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Networks;
using EfficientAD.Training;

namespace EfficientAD.Benchmarks;

/// <summary>One 256 x 256 image from pixels to map and score, with untrained weights: the arithmetic is the
/// same.</summary>
[SimpleJob(RunStrategy.Monitoring, launchCount: 1, warmupCount: 3, iterationCount: 15)]
public class DetectionBenchmarks
{
    private static readonly MapScaling Scaling = new(0, 1, 0, 1);

    private readonly RgbImage _image = NaturalTexture.Render(seed: 1, index: 0, size: 256);
    private readonly float[] _map = new float[256 * 256];
    private CpuBackend _backend = null!;
    private DetectionNetworks _networks = null!;
    private DetectionPlan _plan = null!;

    [Params(PdnSize.Small, PdnSize.Medium)]
    public PdnSize Size { get; set; }

    [Params(1, 2)]
    public int Threads { get; set; }

    [Params(DetectionMode.Plain, DetectionMode.Precise, DetectionMode.Fast)]
    public DetectionMode Mode { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _backend = new CpuBackend(new CpuOptions { Threads = Threads });
        _networks = RandomNetworks.Create(_backend, Size, trainable: false);
        _plan = new DetectionPlan(_networks, MapOrder.Reference, 256, 256, Mode);
    }

    [Benchmark]
    public float Detect()
    {
        _plan.ComputeMaps(_image.View);
        return _plan.Combine(Scaling, 256, 256, _map);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _plan.Dispose();
        _networks.Dispose();
        _backend.Dispose();
    }
}
