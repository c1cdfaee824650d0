using EfficientAD.Backends.Cpu;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Native;
using EfficientAD.Networks;
using EfficientAD.Networks.Quantization;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>What of a <see cref="FusedDetection"/> decides which kernels run and how they are laid over the
/// device.</summary>
/// <param name="Format">Of hidden maps; null for halves.</param>
internal readonly record struct FusedProblem(
    PdnSize Size, MapOrder Order, int Height, int Width, int Samples, EightBits? Format = null)
{
    /// <summary>The name under which the answer is remembered.</summary>
    public override string ToString() =>
        $"{Size}, {Order}, {Height} x {Width}, {Samples} at a time{(Format is null ? "" : $", {Format}")}";
}

/// <summary>Lets a device compute the fused plan with known weights, before anybody relies on it, and compares maps and
/// scores with the CPU's: the same kernels, tiles and graph as later, for a moment. That a card, driver and kernels
/// passed is remembered in the user's cache folder; a failure is not, so that it is looked for again.</summary>
internal sealed class FusedCheck
{
    private const ulong Seed = 1;
    private const string Passed = "passed";
    private const int BlockOfPixels = 6, Frames = 2;

    // Of the largest value: half precision rounds weights and maps to 11 bits, and where a value lies between two
    // numbers of 8 bits, device and CPU may take different ones.
    private const float Tolerance = 1e-2f;

    // Local map alone, global map alone: each in its own units, an offset to see.
    private static readonly MapScaling[] Scalings = [new(0.1f, 0.6f, 0, 1e9f), new(0, 1e9f, 0.1f, 0.6f)];

    private readonly CudaBackend _device;
    private readonly TuningCache _passed;

    /// <param name="cachePath">Null for the file in the user's cache folder.</param>
    public FusedCheck(CudaBackend device, string? cachePath = null)
    {
        _device = device;
        _passed = new TuningCache(cachePath ?? TuningCache.PathOf("checks.json"), device.FusedEnvironment);
    }

    /// <summary>Waits for the device.</summary>
    /// <param name="anew">Whether to ask even where the device is known to have passed.</param>
    /// <returns>What is wrong, in a sentence; null where all is right.</returns>
    /// <exception cref="CudaException">A kernel failed so that the context is lost.</exception>
    public string? FindFault(FusedProblem problem, bool anew = false)
    {
        if (problem.Format is { } format && FusedDetection.FindFault(_device, format) is { } lack) return lack;
        if (!anew && _passed.Find(problem.ToString()) == Passed) return null;
        string? fault;
        try
        {
            fault = Compare(problem);
        }
        catch (CudaException e) when (!e.IsContextLost)
        {
            fault = $"{_device.Name} cannot run the fused plan: {e.Message}";
        }

        if (fault is null) _passed.Add(problem.ToString(), Passed);
        return fault;
    }

    private string? Compare(FusedProblem problem)
    {
        using var cpu = new CpuBackend(new CpuOptions());
        using DetectionNetworks networks = KnownNetworks(cpu, problem.Size);
        (int height, int width) = (problem.Height + 5, problem.Width + 3);
        RgbImage[] frames = [.. Enumerable.Range(0, Frames).Select(i => KnownFrame((ulong)i, width, height))];
        QuantizedNetworks? quantized = problem.Format is { } format
            ? new QuantizedNetworks(networks, ActivationsOf(networks, problem, frames), format)
            : null;
        (float[] Map, float Score)[][] expected = Expected(networks, problem, frames, quantized);

        using var fused = new FusedDetection(
            _device, networks, problem.Order, problem.Height, problem.Width, problem.Samples, quantized: quantized);
        var map = new float[width * height];
        for (int run = 0; run < 2; run++)  // kernel by kernel, then by graph
        {
            for (int sample = 0; sample < problem.Samples; sample++) fused.Stage(sample, frames[sample % Frames].View);
            fused.Run(problem.Samples);
            for (int scaling = 0; scaling < Scalings.Length; scaling++)
            {
                for (int sample = 0; sample < problem.Samples; sample++)
                {
                    float score = fused.Finish(sample, Scalings[scaling], height, width, map);
                    (float[] wanted, float wantedScore) = expected[sample % Frames][scaling];
                    float largest = wanted.Max(MathF.Abs), worst = MathF.Abs(score - wantedScore);
                    for (int i = 0; i < map.Length; i++) worst = MathF.Max(worst, MathF.Abs(map[i] - wanted[i]));
                    if (worst <= Tolerance * largest) continue;  // false for NaN, which MathF.Max keeps
                    return $"{_device.Name} computes the {(scaling == 0 ? "local" : "global")} map of the fused plan " +
                        $"wrongly ({problem}): off by {worst:g3} where values reach {largest:g3} and " +
                        $"{Tolerance * largest:g3} is allowed.";
                }
            }
        }

        return null;
    }

    private static (float[] Map, float Score)[][] Expected(
        DetectionNetworks networks, FusedProblem problem, RgbImage[] frames, QuantizedNetworks? quantized)
    {
        using var plan = new DetectionPlan(
            networks, problem.Order, problem.Height, problem.Width, DetectionMode.Precise, batch: 1, ImageFit.Squash,
            tile: 0, shared: null, window: null, quantized);
        return [.. frames.Select(frame =>
        {
            plan.ComputeMaps(frame.View);
            return Scalings.Select(scaling =>
            {
                var map = new float[frame.Width * frame.Height];
                float score = plan.Combine(scaling, frame.Height, frame.Width, map);
                return (map, score);
            }).ToArray();
        })];
    }

    private static HiddenActivations ActivationsOf(DetectionNetworks networks, FusedProblem problem, RgbImage[] frames)
    {
        using var meter = new ActivationMeter(networks, problem.Height, problem.Width);
        foreach (RgbImage frame in frames)
        {
            networks.Backend.Preprocess(frame.View, ColourAdjustment.None, problem.Height, problem.Width, meter.Image);
            meter.Compute();
            meter.Add();
        }

        return meter.Result();
    }

    /// <summary>Weights under which values keep their size from layer to layer.</summary>
    private static DetectionNetworks KnownNetworks(CpuBackend cpu, PdnSize size)
    {
        const float biasBound = 0.1f, gain = 6;
        var networks = new DetectionNetworks(cpu, size, padded: false, trainable: false);
        ulong stream = 0;
        foreach (Network network in (Network[])[networks.Teacher, networks.Student, networks.Autoencoder])
        {
            foreach (Autograd.Parameter parameter in network.Parameters)
            {
                Shape shape = parameter.Value.Shape;
                float bound = parameter.Name.EndsWith(".bias", StringComparison.Ordinal)
                    ? biasBound : MathF.Sqrt(gain / shape.SampleCount);
                var random = new CounterRandom(Seed, stream++);
                var values = new float[shape.Count];
                for (int i = 0; i < values.Length; i++) values[i] = random.Uniform((ulong)i, -bound, bound);
                cpu.Upload(values, parameter.Value);
            }
        }

        cpu.Fill(biasBound, networks.Mean);
        cpu.Fill(1, networks.Deviation);
        return networks;
    }

    /// <summary>Blocks of one colour, so that a map that is moved or mixed up differs.</summary>
    private static RgbImage KnownFrame(ulong stream, int width, int height)
    {
        var random = new CounterRandom(Seed, stream);
        var frame = new RgbImage(width, height);
        int across = width / BlockOfPixels + 1;
        for (int i = 0; i < frame.Pixels.Length; i++)
        {
            (int pixel, int colour) = Math.DivRem(i, 3);
            int block = pixel / width / BlockOfPixels * across + pixel % width / BlockOfPixels;
            frame.Pixels[i] = (byte)random.Below((ulong)(3 * block + colour), 256);
        }

        return frame;
    }
}
