using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Backends.Cuda;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Networks;
using EfficientAD.Tests.Backends;
using EfficientAD.Tests.Imaging;
using EfficientAD.Tests.References;
using PtxSimulator;

namespace EfficientAD.Tests.Detection;

/// <summary>What a model or a caller may ask of detection beside a plain picture, on the simulator and on the CPU:
/// frames of one channel, letterboxes, tiles, and the head on pooled features.</summary>
public sealed class CudaInputTests : IDisposable
{
    private const int FrameWidth = 70, FrameHeight = 43, InputWidth = 37, InputHeight = 45;

    // Of the largest value: float sums in another order, and what half precision does to the maps of the fused plan.
    private const float Rounding = 2e-5f, OfHalf = 4e-3f;

    private readonly CpuBackend _cpu = new();
    private readonly CudaBackend _cuda = new SimulatedGpu(checks: Checks.Bounds).Open();

    public static TheoryData<DetectionMode, ImageFit, int, PixelFormat> Cases => new()
    {
        { DetectionMode.Fast, ImageFit.Squash, 0, PixelFormat.Grey8 },      // the fused plan
        { DetectionMode.Plain, ImageFit.Squash, 0, PixelFormat.Grey8 },
        { DetectionMode.Fast, ImageFit.Letterbox, 0, PixelFormat.Bgr24 },   // layer by layer
        // two tiles of three rows, one of them shared
        { DetectionMode.Fast, ImageFit.Squash, 41, PixelFormat.Rgb24 },
        { DetectionMode.Plain, ImageFit.Letterbox, 41, PixelFormat.Grey8 },
    };

    [Theory, MemberData(nameof(Cases))]
    public void Frame_GetsTheMapOfTheCpu(DetectionMode mode, ImageFit fit, int tile, PixelFormat format)
    {
        using DetectionNetworks onCpu = Drawn.Networks(_cpu, PdnSize.Small, trainable: false);
        using DetectionNetworks onCuda = Drawn.Networks(_cuda, PdnSize.Small, trainable: false);
        (float[] expected, float expectedScore) = Detect(onCpu, DetectionMode.Plain, fit, tile, format);
        (float[] actual, float score) = Detect(onCuda, mode, fit, tile, format);
        bool isFused = mode == DetectionMode.Fast && fit == ImageFit.Squash && tile == 0;
        float tolerance = (isFused ? OfHalf : Rounding) * expected.Max(MathF.Abs);
        TensorAssert.Close(expected, actual, tolerance, because: isFused ? "half precision" : "sums in another order");
        Assert.Equal(expectedScore, score, tolerance);
    }

    [Fact]
    public void Head_AddsTheDistanceOfTheCpu()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "head.safetensors");
        var identity = new double[384 * 384];
        for (int i = 0; i < 384; i++) identity[385 * i] = 1;
        using (DetectionNetworks networks = Drawn.Networks(_cpu, PdnSize.Small, trainable: false))
            ModelFile.Save(
                path, Information, networks, new PooledDistribution(new double[384], identity), activations: null);

        // Fast, as all commands ask for: the head needs the input that the fused plan keeps to itself.
        DetectionResult[] results = [.. ((IBackend[])[_cpu, _cuda]).Select(backend =>
        {
            using AnomalyDetector detector = AnomalyDetector.Load(path, backend);
            return detector.Detect(Frame(PixelFormat.Grey8));
        })];
        float expected = results[0].Score, map = results[0].Map!.Values.Max();
        Assert.InRange(expected - map, 0.1f, float.MaxValue);  // the distance counts
        Assert.Equal(expected, results[1].Score, 1e-4f * expected);
    }

    public void Dispose()
    {
        _cuda.Dispose();
        _cpu.Dispose();
    }

    private static (float[] Map, float Score) Detect(
        DetectionNetworks networks, DetectionMode mode, ImageFit fit, int tile, PixelFormat format)
    {
        using var plan = new DetectionPlan(
            networks, MapOrder.Aligned, InputHeight, InputWidth, mode, batch: 1, fit, tile);
        plan.ComputeMaps(Frame(format));
        var map = new float[FrameWidth * FrameHeight];
        float score = plan.Combine(new MapScaling(0, 1, 0, 1), FrameHeight, FrameWidth, map);
        return (map, score);
    }

    private static ImageView Frame(PixelFormat format)
    {
        int stride = FrameWidth * ImageView.BytesPerPixelOf(format) + 3;
        return new ImageView(NoiseImage.Bytes(stride * FrameHeight, seed: 5), FrameWidth, FrameHeight, stride, format);
    }

    private static ModelInformation Information => MadeUpModel.Information(InputHeight, InputWidth) with
    {
        ImageHeight = FrameHeight,
        ImageWidth = FrameWidth,
        Pooled = new PooledScaling(0, 1, 0, 1),
    };
}
