using System.Diagnostics;
using System.Globalization;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Networks;
using EfficientAD.Training;

namespace EfficientAD.Benchmarks;

/// <summary>One detection at another input size, and the memory that it takes: <c>Benchmarks scaling [S|M]
/// [fast|precise|plain] [size] [threads]</c>. One setting a process, for the memory's sake.</summary>
internal static class Scaling
{
    private const double LongestSeconds = 4;
    private const int MostCalls = 30;

    public static void Run(string[] arguments)
    {
        (PdnSize size, DetectionMode mode) = (arguments.Size(0), arguments.Mode(1));
        int side = arguments.Number(2, 256), threads = arguments.Number(3, Environment.ProcessorCount);
        using var model = new RandomModel(size, side);
        RgbImage picture = NaturalTexture.Render(seed: 1, index: 0, side);
        var map = new AnomalyMap(side, side);
        GC.Collect();
        long before = Environment.WorkingSet;
        AnomalyDetector? detector = null;
        double load = Milliseconds(() => detector = model.Load(mode, threads));
        using AnomalyDetector loaded = detector!;
        double firstCall = Milliseconds(Detect);
        Detect();

        List<double> times = [];
        long first = Stopwatch.GetTimestamp();
        while (times.Count < MostCalls
            && (times.Count < 3 || Stopwatch.GetElapsedTime(first).TotalSeconds < LongestSeconds))
        {
            times.Add(Milliseconds(Detect));
        }

        long memory = Environment.WorkingSet - before;
        double again = Milliseconds(() => model.Load(mode, threads).Dispose());
        double median = times.Median(), work = DetectionWork.MultiplyAdds(size, side, side);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{size} {mode}, {side} x {side}, {threads} threads: {median:0.0} ms, {work / 1e9:0.00} G multiply-adds, " +
            $"{2e-6 * work / median:0} GFLOP/s effective, {memory / 1e6:0} MB, load {load:0} ms, " +
            $"first call {firstCall:0}, load again {again:0}"));

        void Detect() => loaded.Detect(picture.View, map);
    }

    private static double Milliseconds(Action work)
    {
        long start = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }
}
