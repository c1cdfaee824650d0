using System.Diagnostics;
using System.Globalization;

namespace EfficientAD.Benchmarks;

/// <summary>A peer and ours, call after call in turn, so that what else the machine does hits all.</summary>
internal static class Turns
{
    private const int WarmUpRounds = 3;

    private const int PauseMilliseconds = 120;

    /// <summary>Prints a row a side, in Markdown; its ratio is the median over the rounds.</summary>
    /// <param name="sides">The peer first.</param>
    public static void Print(string title, int rounds, params (string Name, Action Call)[] sides)
    {
        double[][] times = Measure(rounds, sides);
        string peer = sides[0].Name;
        Console.WriteLine($"| {title} | ms, median of {rounds} | range | {peer} / this, median | range |");
        Console.WriteLine("|---|---|---|---|---|");
        foreach ((int side, (string name, _)) in sides.Index())
        {
            double[] own = times[side];
            double[] ratios = [.. times[0].Zip(own, (peers, ours) => peers / ours)];
            string ratio = side == 0
                ? "|"
                : Text($"{ratios.Median():0.00} | {ratios.Min():0.00} to {ratios.Max():0.00}");
            Console.WriteLine(Text($"| {name} | {own.Median():0.0} | {own.Min():0.0} to {own.Max():0.0} | {ratio} |"));
        }
    }

    private static double[][] Measure(int rounds, (string Name, Action Call)[] sides)
    {
        double[][] times = [.. sides.Select(_ => new double[rounds])];
        for (int round = -WarmUpRounds; round < rounds; round++)
            for (int side = 0; side < sides.Length; side++)
            {
                // ONNX Runtime's threads spin for up to 2^20 pauses after a call, some 70 ms at 140 cycles
                // a pause, on cores that the next call needs; PyTorch's spin too.
                Thread.Sleep(PauseMilliseconds);
                long start = Stopwatch.GetTimestamp();
                sides[side].Call();
                if (round >= 0) times[side][round] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            }

        return times;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
