using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace EfficientAD.Benchmarks;

/// <summary>The most fused multiply-adds that the processor does: independent chains in registers, on every thread at
/// once. The roof of whatever convolves.</summary>
internal static class FmaPeak
{
    private const int Rounds = 2_000_000, Chains = 12, Runs = 7;

    /// <returns>GFLOP/s of all threads together, the median of several runs; a multiply-add counts as two.</returns>
    public static double Measure(int threads) => Enumerable.Range(0, Runs).Select(_ => Run(threads)).Median();

    private static double Run(int threads)
    {
        using var start = new Barrier(threads);
        var seconds = new double[threads];
        Thread[] workers = [.. Enumerable.Range(0, threads).Select(index => new Thread(() =>
        {
            start.SignalAndWait();
            long from = Stopwatch.GetTimestamp();
            Spin(Rounds);
            seconds[index] = Stopwatch.GetElapsedTime(from).TotalSeconds;
        }))];
        foreach (Thread worker in workers) worker.Start();
        foreach (Thread worker in workers) worker.Join();
        int lanes = Vector512.IsHardwareAccelerated ? 16 : Vector256.IsHardwareAccelerated ? 8 : 4;
        return seconds.Sum(time => 2e-9 * Rounds * Chains * lanes / time);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static float Spin(int rounds) =>
        Vector512.IsHardwareAccelerated ? Spin512(rounds)
        : Vector256.IsHardwareAccelerated ? Spin256(rounds)
        : Spin128(rounds);

    // A loop per width: the compiler keeps no generic vector in a register for sure.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static float Spin512(int rounds)
    {
        Vector512<float> x = Vector512.Create(0.5f);
        Vector512<float> a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x, l = x;
        for (int round = 0; round < rounds; round++)
        {
            (a, b) = (Vector512.FusedMultiplyAdd(a, x, x), Vector512.FusedMultiplyAdd(b, x, x));
            (c, d) = (Vector512.FusedMultiplyAdd(c, x, x), Vector512.FusedMultiplyAdd(d, x, x));
            (e, f) = (Vector512.FusedMultiplyAdd(e, x, x), Vector512.FusedMultiplyAdd(f, x, x));
            (g, h) = (Vector512.FusedMultiplyAdd(g, x, x), Vector512.FusedMultiplyAdd(h, x, x));
            (i, j) = (Vector512.FusedMultiplyAdd(i, x, x), Vector512.FusedMultiplyAdd(j, x, x));
            (k, l) = (Vector512.FusedMultiplyAdd(k, x, x), Vector512.FusedMultiplyAdd(l, x, x));
        }

        return Vector512.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static float Spin256(int rounds)
    {
        Vector256<float> x = Vector256.Create(0.5f);
        Vector256<float> a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x, l = x;
        for (int round = 0; round < rounds; round++)
        {
            (a, b) = (Vector256.FusedMultiplyAdd(a, x, x), Vector256.FusedMultiplyAdd(b, x, x));
            (c, d) = (Vector256.FusedMultiplyAdd(c, x, x), Vector256.FusedMultiplyAdd(d, x, x));
            (e, f) = (Vector256.FusedMultiplyAdd(e, x, x), Vector256.FusedMultiplyAdd(f, x, x));
            (g, h) = (Vector256.FusedMultiplyAdd(g, x, x), Vector256.FusedMultiplyAdd(h, x, x));
            (i, j) = (Vector256.FusedMultiplyAdd(i, x, x), Vector256.FusedMultiplyAdd(j, x, x));
            (k, l) = (Vector256.FusedMultiplyAdd(k, x, x), Vector256.FusedMultiplyAdd(l, x, x));
        }

        return Vector256.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static float Spin128(int rounds)
    {
        Vector128<float> x = Vector128.Create(0.5f);
        Vector128<float> a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x, l = x;
        for (int round = 0; round < rounds; round++)
        {
            (a, b) = (Vector128.FusedMultiplyAdd(a, x, x), Vector128.FusedMultiplyAdd(b, x, x));
            (c, d) = (Vector128.FusedMultiplyAdd(c, x, x), Vector128.FusedMultiplyAdd(d, x, x));
            (e, f) = (Vector128.FusedMultiplyAdd(e, x, x), Vector128.FusedMultiplyAdd(f, x, x));
            (g, h) = (Vector128.FusedMultiplyAdd(g, x, x), Vector128.FusedMultiplyAdd(h, x, x));
            (i, j) = (Vector128.FusedMultiplyAdd(i, x, x), Vector128.FusedMultiplyAdd(j, x, x));
            (k, l) = (Vector128.FusedMultiplyAdd(k, x, x), Vector128.FusedMultiplyAdd(l, x, x));
        }

        return Vector128.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }
}
