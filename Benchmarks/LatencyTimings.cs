using System.Globalization;
using EfficientAD.Cli.Runs;
using EfficientAD.Detection;
using EfficientAD.Networks;

namespace EfficientAD.Benchmarks;

/// <summary>What <c>efficientad bench</c> measures, with random weights:
/// <c>Benchmarks latency [S|M] [fast|precise|plain] [threads] [frames] [fps]</c>, 256 x 256.</summary>
internal static class LatencyTimings
{
    public static void Run(string[] arguments)
    {
        (PdnSize size, DetectionMode mode) = (arguments.Size(0), arguments.Mode(1));
        int threads = arguments.Number(2, Environment.ProcessorCount), frames = arguments.Number(3, 1000);
        int pace = arguments.Number(4, 0);
        using var model = new RandomModel(size, input: 256);
        using AnomalyDetector detector = model.Load(mode, threads);
        Latencies latencies = LatencyRun.Measure(
            detector, batch: 1, frames, pace == 0 ? null : pace, CancellationToken.None);
        string text = string.Create(CultureInfo.InvariantCulture,
            $"{size} {mode}, {threads} threads, {frames} frames: p50 {latencies.Quantile(0.5):0.00}, " +
            $"p90 {latencies.Quantile(0.9):0.00}, p99 {latencies.Quantile(0.99):0.00}, " +
            $"p99.9 {latencies.Quantile(0.999):0.00}, mean {latencies.Mean:0.00}, jitter {latencies.Jitter:0.00} ms");
        Console.WriteLine(pace == 0 ? text : $"{text}; at {pace} a second {latencies.MissedDeadlines} were late");
    }
}
