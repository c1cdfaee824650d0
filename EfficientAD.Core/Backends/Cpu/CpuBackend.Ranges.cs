namespace EfficientAD.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <summary>About as many values as one item of a parallel loop handles: 128 KiB of floats, small enough for a
    /// core's own cache and long against the hand-over of an item.</summary>
    private const int ValuesPerItem = 1 << 15;

    /// <summary>Cuts [0, count) into ranges and calls <paramref name="body"/>(first, end) for each, on all threads.
    /// The cuts depend on the arguments alone, never on the number of threads.</summary>
    /// <param name="valuesEach">Values that one of the <paramref name="count"/> units touches.</param>
    private void RunRanges(long count, long valuesEach, Action<long, long> body)
    {
        long step = RangeStep(valuesEach);
        _pool.Run(RangeCount(count, valuesEach), item => body(item * step, Math.Min((item + 1) * step, count)));
    }

    /// <summary>The sum of <paramref name="body"/>(first, end) over ranges of [0, count), added up in order.</summary>
    private double SumRanges(long count, Func<long, long, double> body)
    {
        double[] partial = new double[RangeCount(count, 1)];
        RunRanges(count, 1, (first, end) => partial[first / ValuesPerItem] = body(first, end));
        double sum = 0;
        foreach (double value in partial) sum += value;
        return sum;
    }

    private static long RangeStep(long valuesEach) => Math.Max(1, ValuesPerItem / valuesEach);

    private static int RangeCount(long count, long valuesEach)
    {
        long step = RangeStep(valuesEach);
        return checked((int)((count + step - 1) / step));
    }

    /// <summary>The values [first, end) of what starts at <paramref name="values"/>.</summary>
    private static Span<float> Range(float* values, long first, long end) => new(values + first, (int)(end - first));
}
