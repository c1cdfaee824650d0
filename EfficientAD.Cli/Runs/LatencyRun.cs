using System.Diagnostics;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Training;

namespace EfficientAD.Cli.Runs;

/// <summary>Detects on pictures in memory, and measures every call: one call after the other as fast as it goes, or at
/// the pace of a camera.</summary>
internal static class LatencyRun
{
    private const int Pictures = 4;

    /// <param name="batch">Images of a call.</param>
    /// <param name="frames">Measured calls; a tenth as many, and at least three, go before.</param>
    /// <param name="pace">Calls a second that a camera asks for; null for as many as go. A paced call is measured from
    /// when its frame was due, so that it pays for those before it that were late.</param>
    /// <exception cref="OperationCanceledException">The user wants to stop.</exception>
    public static Latencies Measure(
        AnomalyDetector detector, int batch, int frames, double? pace, CancellationToken cancellation)
    {
        (int height, int width) = (detector.Information.InputHeight, detector.Information.InputWidth);
        RgbImage[] pictures =
        [
            .. Enumerable.Range(0, Pictures).Select(i => PillowResize.Resize(
                NaturalTexture.Render(seed: 1, i, Math.Max(height, width)).View, height, width)),
        ];
        AnomalyMap[] maps = [.. Enumerable.Range(0, batch).Select(_ => new AnomalyMap(width, height))];
        var results = new DetectionResult[batch];
        int warmUp = Math.Max(3, frames / 10);
        for (int i = 0; i < warmUp; i++) Call(i);

        var times = new double[frames];
        long first = Stopwatch.GetTimestamp();
        for (int i = 0; i < frames; i++)
        {
            long due = Stopwatch.GetTimestamp();
            if (pace is { } perSecond)
            {
                due = first + (long)(i / perSecond * Stopwatch.Frequency);
                CameraTrigger.WaitUntil(due, cancellation);
            }

            Call(i);
            times[i] = Stopwatch.GetElapsedTime(due).TotalMilliseconds;
        }

        return new Latencies(times, batch, pace);

        void Call(int index)
        {
            cancellation.ThrowIfCancellationRequested();
            if (batch == 1) detector.Detect(pictures[index % Pictures].View, maps[0]);
            else detector.Detect(batch, image => pictures[(index + image) % Pictures].View, maps, results);
        }
    }
}
