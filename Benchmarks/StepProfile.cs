using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using EfficientAD.Backends.Cpu;
using EfficientAD.Networks;
using EfficientAD.Tensors;
using EfficientAD.Training;

namespace EfficientAD.Benchmarks;

/// <summary>Where a training step's time goes: every call of the backend with its shape, its time, its rate and the share of
/// the threads' time that it left unused.</summary>
internal static class StepProfile
{
    private const int WarmUpSteps = 5;

    /// <param name="arguments">[S|M] [threads] [steps] [batch].</param>
    public static void Run(string[] arguments)
    {
        PdnSize size = arguments is ["M", ..] ? PdnSize.Medium : PdnSize.Small;
        int threads = Argument(1, 2), steps = Argument(2, 15), batch = Argument(3, 1);
        using var backend = new TimedBackend(new CpuBackend(new CpuOptions { Threads = threads }), threads);
        using DetectionNetworks networks = RandomNetworks.Create(backend, size, trainable: true);
        ImageSet images = TrainingStepBenchmarks.Images(seed: 1), penaltyImages = TrainingStepBenchmarks.Images(seed: 2);
        var features = new FeatureCache(TrainingStepBenchmarks.ImageCount, long.MaxValue);
        using var step = new TrainingStep(
            backend, Recipe.Reference with { BatchSize = batch }, new StepDraws(1), networks.Teacher, networks.Student,
            networks.Autoencoder, networks.Mean, networks.Deviation, 256, 256);
        var times = new List<double>();
        for (int i = 0; i < WarmUpSteps + steps; i++)
        {
            backend.BeginStep(i >= WarmUpSteps);
            long start = Stopwatch.GetTimestamp();
            step.Run(i, 1e-4f, images, penaltyImages, features);
            if (i >= WarmUpSteps) times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        times.Sort();
        Print(backend, times, $"{size}, {backend.Name}, batch {batch}");

        int Argument(int index, int otherwise) =>
            arguments.Length > index ? int.Parse(arguments[index], CultureInfo.InvariantCulture) : otherwise;
    }

    private static void Print(TimedBackend backend, List<double> times, string title)
    {
        double median = times[times.Count / 2];
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{title}: {median:0.0} ms a step ({times[0]:0.0} to {times[^1]:0.0}), of which in the backend {backend.Calls.Sum(c => c.Milliseconds):0.0}"));
        Console.WriteLine();
        Console.WriteLine("| call | shape | ms | GFLOP/s (direct) | idle |");
        Console.WriteLine("|---|---|---:|---:|---:|");
        foreach (TimedBackend.Call call in backend.Calls)
        {
            string rate = call.Products == 0 ? "" : (2e-6 * call.Products / call.Milliseconds).ToString("0", CultureInfo.InvariantCulture);
            string idle = double.IsNaN(call.Idle) ? "" : call.Idle.ToString("0 %", CultureInfo.InvariantCulture);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {call.Name} | {call.Shape} | {call.Milliseconds:0.00} | {rate} | {idle} |"));
        }

        Console.WriteLine();
        Console.WriteLine("| all calls of | ms |");
        Console.WriteLine("|---|---:|");
        foreach (IGrouping<string, TimedBackend.Call> group in backend.Calls.GroupBy(c => c.Name).OrderByDescending(g => g.Sum(c => c.Milliseconds)))
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {group.Key} | {group.Sum(c => c.Milliseconds):0.0} |"));
    }
}
