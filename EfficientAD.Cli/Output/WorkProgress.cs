using System.Diagnostics;
using Spectre.Console;

namespace EfficientAD.Cli.Output;

/// <summary>Shows how far a piece of work is: a bar on a terminal, else a line now and then.</summary>
internal static class WorkProgress
{
    private const double SmallestShare = 0.1;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    /// <param name="isShown">Nothing is shown otherwise.</param>
    /// <param name="total">How many units there are.</param>
    /// <param name="work">Reports how many of them are done.</param>
    public static async Task RunAsync(
        CommandOutput output, bool isShown, string name, int total, Func<IProgress<int>, Task> work)
    {
        if (!isShown)
        {
            await work(new Report(_ => { }));
            return;
        }

        if (output.IsTerminal)
        {
            await ProgressBars.Create(output.Console).StartAsync(context =>
            {
                ProgressTask task = context.AddTask(ProgressBars.Name(name), maxValue: total);
                return work(new Report(done => task.Value = done));
            });
            return;
        }

        var pace = new Pace(Interval, SmallestShare);
        var clock = Stopwatch.StartNew();
        await work(new Report(done =>
        {
            if (!pace.IsDue(done, total)) return;
            string left = done < total ? $"  {Durations.Format(clock.Elapsed * (total - done) / done)} left" : "";
            output.WriteLine($"{name.ToLowerInvariant()} {done}/{total}{left}");
        }));
    }

    /// <summary>Unlike Progress, on the caller's thread and in order.</summary>
    private sealed class Report(Action<int> report) : IProgress<int>
    {
        private readonly Lock _lock = new();

        void IProgress<int>.Report(int value)
        {
            lock (_lock) report(value);
        }
    }
}
