using System.Diagnostics;
using System.Globalization;
using EfficientAD.Backends.Cpu;
using EfficientAD.Networks;

namespace EfficientAD.Benchmarks;

/// <summary>Where a training step's time goes: every call of the backend with its shape, its time, its rate and the
/// share of the threads' time that it left unused.</summary>
internal static class StepProfile
{
    internal const int WarmUpSteps = 5;

    /// <param name="arguments">[S|M] [threads] [steps] [batch].</param>
    public static void Run(string[] arguments)
    {
        PdnSize size = arguments.Size(0);
        int threads = arguments.Number(1, 2), steps = arguments.Number(2, 15), batch = arguments.Number(3, 1);
        using var backend = new TimedBackend(new CpuBackend(new CpuOptions { Threads = threads }), threads);
        using var training = new RandomTraining(backend, size, batch);
        var times = new List<double>();
        for (int i = 0; i < WarmUpSteps + steps; i++)
        {
            backend.BeginStep(i >= WarmUpSteps);
            long start = Stopwatch.GetTimestamp();
            training.Step();
            if (i >= WarmUpSteps) times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        times.Sort();
        Print(backend, times, $"{size}, {backend.Name}, batch {batch}");
    }

    private static void Print(TimedBackend backend, List<double> times, string title)
    {
        double median = times[times.Count / 2], inside = backend.Calls.Sum(call => call.Milliseconds);
        string range = Text($"{times[0]:0.0} to {times[^1]:0.0}");
        WriteLine($"{title}: {median:0.0} ms a step ({range}), of which in the backend {inside:0.0}");
        WriteLine($"");
        WriteLine($"| call | shape | ms | GFLOP/s (direct) | idle |");
        WriteLine($"|---|---|---:|---:|---:|");
        foreach (TimedBackend.Call call in backend.Calls)
        {
            string rate = call.Products == 0 ? "" : Text($"{2e-6 * call.Products / call.Milliseconds:0}");
            string idle = double.IsNaN(call.Idle) ? "" : Text($"{call.Idle:0 %}");
            WriteLine($"| {call.Name} | {call.Shape} | {call.Milliseconds:0.00} | {rate} | {idle} |");
        }

        WriteLine($"");
        WriteLine($"| all calls of | ms |");
        WriteLine($"|---|---:|");
        var sums = backend.Calls.GroupBy(call => call.Name).Select(g => (g.Key, Sum: g.Sum(call => call.Milliseconds)));
        foreach ((string name, double sum) in sums.OrderByDescending(group => group.Sum))
            WriteLine($"| {name} | {sum:0.0} |");
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static void WriteLine(FormattableString line) => Console.WriteLine(Text(line));
}
