using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Engines;
using EfficientAD.Metrics;

namespace EfficientAD.Benchmarks;

/// <summary>AU-PRO, pixel AUROC and the curve over 1,000 maps, half of them with a defect of 3 % of the
/// pixels.</summary>
[SimpleJob(RunStrategy.Monitoring, launchCount: 1, warmupCount: 1, iterationCount: 3)]
public class MetricsBenchmarks
{
    private const int Images = 1000;

    private RandomMaps _maps = null!;

    [Params(256, 900)]
    public int Size { get; set; }

    [GlobalSetup]
    public void Setup() => _maps = new RandomMaps(Size);

    [Benchmark]
    public double AuPro() => PixelMetrics.Compute(Samples())!.RegionOverlap.AreaUnder(0.3);

    private IEnumerable<PixelSample> Samples() => Enumerable.Range(0, Images).Select(i =>
        new PixelSample(_maps[i], i % 2 == 0 ? [] : [_maps.Mask]));
}
