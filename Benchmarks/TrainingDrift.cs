using System.Globalization;
using EfficientAD.Backends.Cpu;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Networks;
using EfficientAD.Tensors;
using EfficientAD.Training;

namespace EfficientAD.Benchmarks;

/// <summary>The same training run by the engine and by plain sums of products, loss by loss: <c>Benchmarks drift
/// [steps] [side] [threads]</c>. Adam follows the sign of gradients that are mere rounding, so a third run, plain again
/// from weights that differ in their last bit, shows how far rounding alone drives two runs apart.</summary>
/// <remarks>PDN-S, recipe reference, the shipped teacher, rendered images.</remarks>
internal static class TrainingDrift
{
    private const int ImageCount = 16, Window = 20;
    private const float LearningRate = 1e-4f;

    private static readonly string[] Losses = ["hard", "penalty", "autoencoder", "student-autoencoder"];

    public static void Run(string[] arguments)
    {
        int steps = arguments.Number(0, 200), side = arguments.Number(1, 64);
        int threads = arguments.Number(2, Environment.ProcessorCount);
        float[][] plain = Train(steps, side, threads, isPlain: true, isNudged: false);
        float[][] engine = Train(steps, side, threads, isPlain: false, isNudged: false);
        float[][] nudged = Train(steps, side, threads, isPlain: true, isNudged: true);
        Console.WriteLine(
            $"{"loss",-20}{"steps",-12}{"mean, plain",14}{"engine",12}{"plain, last bit",18}" +
            "   largest relative difference to plain, of the means");
        for (int loss = 0; loss < Losses.Length; loss++)
        {
            for (int first = 0; first < steps; first += Math.Max(Window, steps / 5))
            {
                Range window = first..Math.Min(first + Window, steps);
                double mean = Mean(plain, loss, window);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{Losses[loss],-20}{first + 1,4} - {window.End,-5}{mean,14:0.000000}" +
                    $"{Largest(plain, engine, loss, window),12:0.0e+0}" +
                    $"{Largest(plain, nudged, loss, window),18:0.0e+0}" +
                    $"   {Math.Abs(Mean(engine, loss, window) / mean - 1):0.0e+0}, " +
                    $"{Math.Abs(Mean(nudged, loss, window) / mean - 1):0.0e+0}"));
            }
        }
    }

    private static double Mean(float[][] losses, int loss, Range window) => losses[window].Average(step => step[loss]);

    private static double Largest(float[][] expected, float[][] actual, int loss, Range window) =>
        expected[window].Zip(actual[window], (a, b) => Math.Abs((double)b[loss] / a[loss] - 1)).Max();

    /// <summary>The four losses of each step.</summary>
    private static float[][] Train(int steps, int side, int threads, bool isPlain, bool isNudged)
    {
        using var backend = new CpuBackend(new CpuOptions { Threads = threads, IsPlain = isPlain });
        PatchDescriptionNetwork teacher = TeacherFile.Load(null, PdnSize.Small, padded: false, backend).Teacher;
        using var networks = new DetectionNetworks(backend, teacher, trainable: true);
        networks.Student.Initialize(new CounterRandom(2, 0));
        networks.Autoencoder.Initialize(new CounterRandom(3, 0));
        backend.Fill(1, networks.Deviation);
        if (isNudged) Nudge(backend, networks.Student.Layers[0].Weights.Value);
        using var step = new TrainingStep(networks, Recipe.Reference, new StepDraws(1), side, side);
        ImageSet images = Images(seed: 1, side), penaltyImages = Images(seed: 2, side);
        var features = new FeatureCache(ImageCount, long.MaxValue);
        return
        [
            .. Enumerable.Range(0, steps).Select(index =>
            {
                StepLosses losses = step.Run(index, LearningRate, images, penaltyImages, features);
                return new[] { losses.Hard, losses.Penalty, losses.Autoencoder, losses.StudentAutoencoder };
            }),
        ];
    }

    private static void Nudge(CpuBackend backend, Tensor weights)
    {
        var values = new float[weights.Shape.Count];
        backend.Download(weights, values);
        for (int i = 0; i < values.Length; i++) values[i] = MathF.BitIncrement(values[i]);
        backend.Upload(values, weights);
    }

    private static ImageSet Images(ulong seed, int side) =>
        new(ImageCount, i => NaturalTexture.Render(seed, i, side), long.MaxValue) { AtInputScale = true };
}
