using System.Diagnostics;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Training;

namespace EfficientAD.Cli.Runs;

/// <summary>How long calls took.</summary>
/// <param name="sorted">Milliseconds, ascending.</param>
/// <param name="batch">Images of a call.</param>
internal sealed class Latencies(double[] sorted, int batch)
{
    public int Count => sorted.Length;

    public double Mean => sorted.Average();

    public double ImagesPerSecond => 1000 * batch / Mean;

    /// <summary>The smallest measured time that this share of the calls does not exceed.</summary>
    public double Quantile(double share) => sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Length) - 1, 0, sorted.Length - 1)];
}

/// <summary>Detects on pictures in memory, as fast as it goes, and measures every call.</summary>
internal static class LatencyRun
{
    private const int Pictures = 4;

    /// <exception cref="OperationCanceledException">The user wants to stop.</exception>
    public static Latencies Measure(AnomalyDetector detector, int batch, int frames, CancellationToken cancellation)
    {
        (int height, int width) = (detector.Information.InputHeight, detector.Information.InputWidth);
        RgbImage[] pictures =
        [
            .. Enumerable.Range(0, Pictures).Select(i => PillowResize.Resize(
                NaturalTexture.Render(seed: 1, i, Math.Max(height, width)).View, height, width)),
        ];
        AnomalyMap[] maps = [.. Enumerable.Range(0, batch).Select(_ => new AnomalyMap(width, height))];
        var results = new DetectionResult[batch];
        var times = new double[frames];
        int warmUp = Math.Max(3, frames / 10);
        for (int i = -warmUp; i < frames; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            long start = Stopwatch.GetTimestamp();
            int first = i + warmUp;
            if (batch == 1) detector.Detect(pictures[first % Pictures].View, maps[0]);
            else detector.Detect(batch, image => pictures[(first + image) % Pictures].View, maps, results);
            if (i >= 0) times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        Array.Sort(times);
        return new Latencies(times, batch);
    }
}
