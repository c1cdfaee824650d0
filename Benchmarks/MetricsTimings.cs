using System.Diagnostics;
using System.Globalization;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Metrics;

namespace EfficientAD.Benchmarks;

/// <summary>AU-PRO and pixel AUROC once, over maps of which no two share scores, and the memory that it takes:
/// <c>Benchmarks metrics [side] [images]</c>. Half of the images have a defect of 3 % of their pixels.</summary>
internal static class MetricsTimings
{
    public static void Run(string[] arguments)
    {
        int side = arguments.Number(0, 256), images = arguments.Number(1, 1000);
        var maps = new RandomMaps(side);
        AnomalyMap scaled = new(side, side);
        GC.Collect();
        long before = Environment.WorkingSet, start = Stopwatch.GetTimestamp();
        PixelMetrics metrics = PixelMetrics.Compute(Samples())!;
        double area = metrics.RegionOverlap.AreaUnder(0.3), seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        long peak = Process.GetCurrentProcess().PeakWorkingSet64 - before;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{images} maps of {side} x {side}: {seconds:0.00} s, {peak / 1e6:0} MB more than before, " +
            $"AU-PRO {area:0.0000}, AUROC {metrics.Auroc:0.0000}"));

        IEnumerable<PixelSample> Samples() => Enumerable.Range(0, images).Select(i =>
        {
            maps.Scale(i, scaled);
            return new PixelSample(scaled, i % 2 == 0 ? [] : [maps.Mask]);
        });
    }
}
