using System.Diagnostics;
using System.Globalization;
using EfficientAD.Backends;
using EfficientAD.Backends.Cuda;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Networks;
using EfficientAD.Training;

namespace EfficientAD.Benchmarks;

/// <summary>Detection and training step of S and M at 256 x 256 on a CUDA device, in every precision, for a machine
/// that has no SDK: <c>Benchmarks cuda [device] [runs] [calls]</c> writes one line per figure. The peer is
/// <c>peers/pytorch_step.py --device cuda</c>.</summary>
/// <remarks>Detection: from 8-bit pixels in the host's memory to score and map there. Step: augmentation, losses,
/// backward and Adam, as in <see cref="RandomTraining"/>. Weights are random.</remarks>
internal static class CudaTimings
{
    private const int Size = 256, WarmUpCalls = 10;

    /// <returns>1 where there is no such device.</returns>
    public static int Run(string[] arguments)
    {
        int device = arguments.Number(0, 0), runs = arguments.Number(1, 7), calls = arguments.Number(2, 100);
        try
        {
            // As the command line opens it: with its check, and with messages that say what to do.
            new Device(DeviceKind.Cuda, device).Open().Dispose();
        }
        catch (NotSupportedException e)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }

        foreach (CudaPrecision precision in Enum.GetValues<CudaPrecision>())
        {
            foreach (PdnSize size in Enum.GetValues<PdnSize>())
            {
                var options = new CudaOptions { Precision = precision };
                using var backend = new CudaBackend(device, options);
                Detect(size, backend, precision, runs, calls);
                // Half precision is for inference alone.
                if (precision != CudaPrecision.Half) Train(size, backend, precision, runs, calls);
            }
        }

        return 0;
    }

    private static void Detect(PdnSize size, CudaBackend backend, CudaPrecision precision, int runs, int calls)
    {
        using DetectionNetworks networks = RandomNetworks.Create(backend, size, trainable: false);
        using var plan = new DetectionPlan(networks, MapOrder.Reference, Size, Size);
        RgbImage image = NaturalTexture.Render(seed: 1, index: 0, Size);
        float[] map = new float[Size * Size];
        Measure($"detection {size} {precision}", backend, runs, calls, () =>
        {
            plan.ComputeMaps(image.View);
            plan.Combine(new MapScaling(0, 1, 0, 1), Size, Size, map);
        });
    }

    private static void Train(PdnSize size, CudaBackend backend, CudaPrecision precision, int runs, int calls)
    {
        using var training = new RandomTraining(backend, size);
        Measure($"training step {size} {precision}", backend, runs, calls, () => training.Step());
    }

    /// <summary>Both kinds of work end with values on the host, so that a call is done when it returns.</summary>
    private static void Measure(string what, CudaBackend backend, int runs, int calls, Action work)
    {
        for (int i = 0; i < WarmUpCalls; i++) work();
        double[] means = new double[runs];
        for (int run = 0; run < runs; run++)
        {
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < calls; i++) work();
            means[run] = Stopwatch.GetElapsedTime(start).TotalMilliseconds / calls;
        }

        Array.Sort(means);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{what}: median {means[runs / 2]:0.000} ms, {means[0]:0.000} to {means[^1]:0.000} " +
            $"({runs} runs of {calls}), on {backend.Name}"));
    }
}
