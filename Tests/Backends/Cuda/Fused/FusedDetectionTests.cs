using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Backends.Cuda;
using EfficientAD.Backends.Cuda.Fused;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Native;
using EfficientAD.Networks;
using EfficientAD.Tensors;
using EfficientAD.Tests.Imaging;
using EfficientAD.Tests.References;
using PtxSimulator;
using PtxSimulator.Driver;

namespace EfficientAD.Tests.Backends.Cuda.Fused;

/// <summary>The fused plan on the simulator, from frames to maps and scores, against the CPU's layers in
/// float32.</summary>
public sealed class FusedDetectionTests : IDisposable
{
    private const int Width = 90, Height = 75;

    // Maps are means over 384 channels of squares of differences: half precision rounds weights and maps to 11 bits. Of
    // the largest value.
    private const double Tolerance = 4e-3;

    private static readonly MapScaling Scaling = new(0.25f, 1.25f, 0.125f, 1.5f);

    private readonly CpuBackend _cpu = new();

    public static TheoryData<PdnSize, MapOrder, int, int, int> Cases => new()
    {
        { PdnSize.Small, MapOrder.Reference, 45, 62, 0 },
        { PdnSize.Small, MapOrder.Anomalib, 33, 50, 1 },
        { PdnSize.Medium, MapOrder.Aligned, 41, 37, 2 },
    };

    /// <remarks>The first frame is launched kernel by kernel, the second captured.</remarks>
    [Theory, MemberData(nameof(Cases))]
    public void Detection_IsThatOfTheCpu(PdnSize size, MapOrder order, int height, int width, int seed)
    {
        using DetectionNetworks onCpu = Filled(_cpu, size);
        var gpu = new SimulatedGpu(seed: seed, checks: Checks.Bounds | Checks.Uninitialized);
        using CudaBackend cuda = gpu.Open();
        using DetectionNetworks onCuda = Filled(cuda, size);
        if (order == MapOrder.Aligned)
        {
            foreach (DetectionNetworks networks in new[] { onCpu, onCuda }) Weigh(networks, height, width);
        }

        using DetectionPlan plan = Plan(onCuda, order, height, width, DetectionMode.Fast);
        using DetectionPlan reference = Plan(onCpu, order, height, width, DetectionMode.Plain);
        for (uint frame = 0; frame < 2; frame++)
        {
            var (expected, actual) = (new float[Width * Height], new float[Width * Height]);
            (float expectedScore, float score) = (Detect(reference, frame, expected), Detect(plan, frame, actual));
            double largest = expected.Max(MathF.Abs);
            TensorAssert.Close(expected, actual, Tolerance * largest, because: "half precision");
            Assert.Equal(expectedScore, score, (float)(Tolerance * largest));
            Assert.Equal(actual.Max(), order == MapOrder.Anomalib ? actual.Max() : score);
            Compare(_cpu, reference.LocalMap, cuda, plan.LocalMap);
            Compare(_cpu, reference.GlobalMap, cuda, plan.GlobalMap);
        }

        Assert.Null(SimulatedDriver.LastFault(gpu.Ordinal));
    }

    [Fact]
    public void Frames_TakeFewLaunchesAndRepeatTheirBits()
    {
        var gpu = new SimulatedGpu(seed: 4, checks: Checks.Bounds);
        using CudaBackend cuda = gpu.Open();
        using DetectionNetworks networks = Filled(cuda, PdnSize.Small);
        using FusedDetection fused = Fused(cuda, networks, samples: 2);
        var first = new float[Width * Height];
        fused.Compute(Frame(Pixels(1)));
        float score = fused.Finish(0, Scaling, Height, Width, first);

        var again = new float[Width * Height];
        for (int run = 0; run < 2; run++)  // captures a graph; launches it
        {
            SimulatedDriver.ClearLaunches(gpu.Ordinal);
            fused.Compute(Frame(Pixels(1)));
            Assert.Equal(score, fused.Finish(0, Scaling, Height, Width, again));
            TensorAssert.SameBits(first, again, "by graph");
            // Preprocessing, three layers, eight of the autoencoder and one for a size other than 256, last, verdict.
            Assert.Equal(15, SimulatedDriver.Launches(gpu.Ordinal).Count);
        }

        for (int sample = 0; sample < 2; sample++) fused.Stage(sample, Frame(Pixels((uint)sample)));
        SimulatedDriver.ClearLaunches(gpu.Ordinal);
        fused.Run(2);
        Assert.Equal(score, fused.Finish(1, Scaling, Height, Width, again));
        TensorAssert.SameBits(first, again, "the second of two");
        Assert.Equal(15, SimulatedDriver.Launches(gpu.Ordinal).Count);

        using DeviceBuffer memory = DeviceArray.Upload<byte>(cuda.Stream, Pixels(1));
        fused.Compute(new DeviceImage(memory.Address, Width, Height, 3 * Width, PixelFormat.Rgb24));
        Assert.Equal(score, fused.Finish(0, Scaling, Height, Width, again));
        TensorAssert.SameBits(first, again, "from the device");
    }

    /// <summary>So that an ablation compares plans that compute the same.</summary>
    [Fact]
    public void PlansWithoutFusions_ComputeTheSame()
    {
        var gpu = new SimulatedGpu(computeCapability: 90, checks: Checks.Bounds);
        using CudaBackend cuda = gpu.Open();
        using DetectionNetworks networks = Filled(cuda, PdnSize.Small);
        FusionOptions all = new();
        FusionOptions[] variants =
        [
            all, all with { First = false, Pool = false, Preprocess = false, Verdict = false },
            all with { Groups = false, Branches = false, Graph = false },
            all with { Difference = false, Autoencoder = false }, all with { Hopper = true },
        ];
        float[][] maps = [.. variants.Select(options =>
        {
            using FusedDetection fused = Fused(cuda, networks, samples: 1, options);
            fused.Compute(Frame(Pixels(1)));
            var map = new float[Width * Height];
            fused.Finish(0, Scaling, Height, Width, map);
            return map;
        })];
        foreach (float[] map in maps)
        {
            TensorAssert.Close(
                maps[0], map, Tolerance * maps[0].Max(MathF.Abs), because: "half precision in other places");
        }
    }

    public void Dispose() => _cpu.Dispose();

    private static byte[] Pixels(uint seed) => NoiseImage.Bytes(3 * Width * Height, seed);

    private static ImageView Frame(byte[] pixels) => new(pixels, Width, Height, 3 * Width, PixelFormat.Rgb24);

    private static DetectionPlan Plan(
        DetectionNetworks networks, MapOrder order, int height, int width, DetectionMode mode) =>
        new(networks, order, height, width, mode);

    private static FusedDetection Fused(
        CudaBackend backend, DetectionNetworks networks, int samples, FusionOptions? options = null) =>
        new(backend, networks, MapOrder.Aligned, 41, 38, samples, options);

    private static float Detect(DetectionPlan plan, uint frame, float[] map)
    {
        plan.ComputeMaps(Frame(Pixels(frame)));
        return plan.Combine(Scaling, Height, Width, map);
    }

    private static DetectionNetworks Filled(IBackend backend, PdnSize size)
    {
        DetectionNetworks networks = Drawn.Networks(backend, size, trainable: false);
        backend.Fill(0.01f, networks.Mean);
        backend.Fill(0.8f, networks.Deviation);
        return networks;
    }

    private static void Weigh(DetectionNetworks networks, int height, int width)
    {
        Tensor weights = networks.AddPlaceWeights(height, width);
        networks.Backend.Upload(
            HostTensor.Random(weights.Shape, 9, 9, scale: 0.9).Map(value => 1 + value).ToFloats(), weights);
    }

    private static void Compare(IBackend cpu, Tensor expected, IBackend cuda, Tensor actual)
    {
        Assert.Equal(expected.Shape, actual.Shape);
        var (wanted, values) = (new float[expected.Shape.Count], new float[expected.Shape.Count]);
        cpu.Download(expected, wanted);
        cuda.Download(actual, values);
        TensorAssert.Close(wanted, values, Tolerance * wanted.Max(), because: "half precision");
    }
}
