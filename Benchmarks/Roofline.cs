using System.Diagnostics;
using System.Globalization;
using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Benchmarks;

/// <summary>The convolutions of both networks at 256 x 256, one by one, against the processor's peak:
/// <c>Benchmarks roofline [threads]</c>.</summary>
/// <remarks>Achieved: the multiply-adds that are done, which minimal filtering makes fewer; its transforms take time
/// and count as none. Effective: those of the direct convolution in the same time. These are the layers as training and
/// the plain mode call them, with F(4,4) and F(6,3); detection fuses them further.</remarks>
internal static class Roofline
{
    private const double Seconds = 1;
    private const int FewestChannels = 16;

    public static void Run(string[] arguments)
    {
        int threads = arguments.Number(0, Environment.ProcessorCount);
        double peak = FmaPeak.Measure(threads);
        using var backend = new CpuBackend(new CpuOptions { Threads = threads });
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{backend.Name}: {peak:0} GFLOP/s of fused multiply-adds"));
        Console.WriteLine("| layer | shape | ms | achieved GFLOP/s | of the peak | effective GFLOP/s |");
        Console.WriteLine("|---|---|---|---|---|---|");
        foreach (PdnSize size in Enum.GetValues<PdnSize>())
            foreach (Layer layer in DetectionWork.Layers(size, outputs: 384, 256, 256))
            {
                double seconds = Measure(backend, layer), outputs = (double)layer.Height * layer.Width;
                double direct = layer.MultiplyAdds * outputs / layer.Used, done = direct * Share(layer);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"| {size.ToString()[0]} {layer.Name} | {layer.Inputs} -> {layer.Outputs}, " +
                    $"{layer.Kernel} x {layer.Kernel}, {layer.Height} x {layer.Width} | " +
                    $"{1e3 * seconds:0.00} | {2e-9 * done / seconds:0} | {2e-9 * done / seconds / peak:0 %} | " +
                    $"{2e-9 * direct / seconds:0} |"));
            }
    }

    /// <summary>Multiply-adds of the filtering form per one of the direct convolution; 1 where that is used.</summary>
    private static double Share(Layer layer)
    {
        int tile = layer.Kernel == 4 ? 4 : 6, points = tile + layer.Kernel - 1;
        if (layer.Kernel is not (3 or 4) || Math.Min(layer.Inputs, layer.Outputs) < FewestChannels) return 1;
        double tiles = (double)((layer.Height + tile - 1) / tile) * ((layer.Width + tile - 1) / tile);
        return tiles * points * points / ((double)layer.Height * layer.Width * layer.Kernel * layer.Kernel);
    }

    private static double Measure(CpuBackend backend, Layer layer)
    {
        (int height, int width) = (layer.Height + layer.Kernel - 1, layer.Width + layer.Kernel - 1);
        using Tensor input = Random(new Shape(1, layer.Inputs, height, width), 1);
        using Tensor weights = Random(new Shape(layer.Outputs, layer.Inputs, layer.Kernel, layer.Kernel), 2);
        using Tensor output = backend.Allocate(new Shape(1, layer.Outputs, layer.Height, layer.Width));
        for (int i = 0; i < 3; i++) Once();
        List<double> times = [];
        long first = Stopwatch.GetTimestamp();
        while (times.Count < 5 || Stopwatch.GetElapsedTime(first).TotalSeconds < Seconds)
        {
            long start = Stopwatch.GetTimestamp();
            Once();
            times.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return times.Median();

        void Once() => backend.Convolution2d(input, weights, null, Convolution2dGeometry.Valid, relu: true, output);

        Tensor Random(Shape shape, ulong stream)
        {
            var random = new CounterRandom(1, stream);
            var values = new float[shape.Count];
            for (int i = 0; i < values.Length; i++) values[i] = random.Uniform((ulong)i, -1, 1);
            Tensor tensor = backend.Allocate(shape);
            backend.Upload(values, tensor);
            return tensor;
        }
    }
}
