using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Engines;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Metrics;
using EfficientAD.Tensors;

namespace EfficientAD.Benchmarks;

/// <summary>AU-PRO, pixel AUROC and the curve over 1,000 maps, half of them with a defect of 3 % of the pixels: noise, as
/// no two pixels of a real map are equal either.</summary>
[SimpleJob(RunStrategy.Monitoring, launchCount: 1, warmupCount: 1, iterationCount: 3)]
public class MetricsBenchmarks
{
    private const int Images = 1000, DistinctMaps = 16;

    private AnomalyMap[] _maps = [];
    private GreyImage _mask = null!;

    [Params(256, 900)]
    public int Size { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _mask = new GreyImage(Size, Size);
        int first = Size / 3, last = first + (int)(0.173 * Size);
        for (int y = first; y < last; y++) _mask.Pixels.AsSpan(y * Size + first, last - first).Fill(255);
        _maps = [.. Enumerable.Range(0, DistinctMaps).Select(Map)];
    }

    [Benchmark]
    public double AuPro() => PixelMetrics.Compute(Samples())!.RegionOverlap.AreaUnder(0.3);

    private IEnumerable<PixelSample> Samples() => Enumerable.Range(0, Images).Select(i =>
        new PixelSample(_maps[i % DistinctMaps], i % 2 == 0 ? [] : [_mask]));

    /// <summary>Most scores low, those of the defect higher but not all.</summary>
    private AnomalyMap Map(int index)
    {
        var map = new AnomalyMap(Size, Size);
        var random = new CounterRandom(1, (ulong)index);
        for (int i = 0; i < map.Values.Length; i++)
        {
            float value = random.Uniform((ulong)i, 0, 1);
            map.Values[i] = value * value + (_mask.Pixels[i] != 0 ? 0.4f : 0);
        }

        return map;
    }
}
