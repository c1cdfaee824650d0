using System.Diagnostics;
using System.Globalization;
using System.Runtime.Intrinsics;
using EfficientAD.Backends.Cpu;
using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Backends.Cpu.Fused;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Networks;
using EfficientAD.Training;

namespace EfficientAD.Benchmarks;

/// <summary>Where the time of a detection goes, layer by layer, in relation to the peak of one core's products:
/// <c>dotnet run -c Release --project Benchmarks -- stages [S|M] [threads] [runs]</c>.</summary>
/// <remarks>Every layer runs alone; in the plan the chains of the three networks overlap.</remarks>
internal static unsafe class DetectionStages
{
    private const int Size = 256;

    public static void Run(string[] arguments)
    {
        PdnSize size = arguments.Size(0);
        int threads = arguments.Number(1, Environment.ProcessorCount), runs = arguments.Number(2, 15);
        Measure(size, threads, runs, DetectionMode.Fast);
        Measure(size, threads, runs, DetectionMode.Precise);
    }

    private static void Measure(PdnSize size, int threads, int runs, DetectionMode mode)
    {
        using var backend = new CpuBackend(new CpuOptions { Threads = threads });
        using DetectionNetworks networks = RandomNetworks.Create(backend, size, trainable: false);
        using var plan = new DetectionPlan(networks, MapOrder.Reference, Size, Size, mode);
        FusedMaps fused = plan.Fused!;
        WorkerPool pool = backend.Pool;
        RgbImage image = NaturalTexture.Render(seed: 1, index: 0, Size);
        var map = new float[Size * Size];
        using var scratch = new ScratchMemory();
        List<(string Name, double Products, Action Run)> stages = [];
        foreach (FusedLayer layer in fused.Layers)
        {
            var region = new FusedRegion(scratch, threads, new FusedChain(layer));
            stages.Add((layer.Name, layer.Products, () => region.Run(pool)));
        }

        int layers = stages.Count;
        stages.Add(("all networks", 0, () => fused.Compute(1)));
        stages.Add(("image to maps", 0, () => plan.ComputeMaps(image.View)));
        stages.Add(("maps to score and map", 0, () => plan.Combine(new MapScaling(0, 1, 0, 1), Size, Size, map)));
        double[][] times = [.. stages.Select(_ => new double[runs])];
        for (int run = -2; run < runs; run++)
            for (int i = 0; i < stages.Count; i++)
            {
                long start = Stopwatch.GetTimestamp();
                stages[i].Run();
                if (run >= 0) times[i][run] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            }

        double peak = Peak(pool), sum = 0;
        for (int i = 0; i < stages.Count; i++)
        {
            double median = times[i].Median();
            if (i < layers) sum += median;
            double rate = 2e-6 * stages[i].Products / median;
            string share = rate == 0 ? "" : Text($"{rate,6:0} GFLOP/s {rate / peak,6:0 %} of the peak");
            Console.WriteLine(Text($"{mode,-8} {stages[i].Name,-24} {median,7:0.00} ms {share}"));
        }

        Console.WriteLine(Text(
            $"{mode}, {size}, {threads} threads: layers one by one {sum:0.0} ms; peak {peak:0} GFLOP/s"));
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>The products' kernel on operands that stay in the nearest cache, on all threads.</summary>
    private static double Peak(WorkerPool pool)
    {
        if (!Vector512.IsHardwareAccelerated) return double.NaN;
        const int Blocks = 8, Calls = 20000, Items = 8;
        int rows = WideProducts<Vector512<float>, Lanes512>.Rows;
        using var memory = new AlignedMemory(1 << 20);
        float* tiles = (float*)memory.Address, weights = tiles + 65536, products = weights + 65536;
        double best = 0;
        for (int attempt = 0; attempt < 5; attempt++)
        {
            long start = Stopwatch.GetTimestamp();
            pool.Run(Items, (item, worker) =>
            {
                for (int i = 0; i < Calls / Items; i++)
                    WideProducts<Vector512<float>, Lanes512>.Multiply(
                        rows, tiles, weights, Blocks, products + worker * 1024, tiles, weights, 0);
            });
            double milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            best = Math.Max(best, 2.0 * rows * 32 * 16 * Blocks * Calls / milliseconds * 1e-6);
        }

        return best;
    }
}
