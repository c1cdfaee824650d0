using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Backends.Cuda;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Native;
using EfficientAD.Networks;
using EfficientAD.Tensors;
using EfficientAD.Tests.Backends;
using EfficientAD.Tests.Gpu;
using EfficientAD.Tests.Imaging;
using EfficientAD.Tests.References;
using PtxSimulator;

namespace EfficientAD.Tests.Detection;

/// <summary>Whole detections on the simulator and on the CPU.</summary>
public class CudaDetectionTests
{
    private const int Width = 90, Height = 75, Stride = 3 * Width;

    private static readonly SimulatedGpu Gpu = new(checks: Checks.Bounds | Checks.Uninitialized);

    [Fact]
    public void Detections_AgreeWithTheCpuAndRepeatTheirBits()
    {
        using CudaContext context = CudaContext.Open(SimulatedGpu.Driver, Gpu.Ordinal);
        AgreeWithTheCpuAndRepeatTheirBits(context);
    }

    [Fact, Trait(RealGpu.Trait, RealGpu.Needed)]
    public void DetectionsOnAGpu_AgreeWithTheCpuAndRepeatTheirBits() =>
        AgreeWithTheCpuAndRepeatTheirBits(RealGpu.OpenOrSkip());

    /// <remarks>The first frame runs kernel by kernel, the second is captured, the third replays the graph and is on
    /// the device already.</remarks>
    private static void AgreeWithTheCpuAndRepeatTheirBits(CudaContext context)
    {
        using var cpu = new CpuBackend();
        using var onCpu = new Detector(cpu);
        using var stream = new CudaStream(context);
        using var cuda = new CudaBackend(context, stream);
        using var onCuda = new Detector(cuda);

        Frame[] frames = [onCuda.Detect(Picture(0)), onCuda.Detect(Picture(1))];
        for (uint i = 0; i < frames.Length; i++)
        {
            Frame expected = onCpu.Detect(Picture(i));
            float largest = expected.Map.Max();
            TensorAssert.Close(
                expected.Map, frames[i].Map, 1e-5 * largest, because: "float rounding through all layers");
            Assert.Equal(expected.Score, frames[i].Score, 1e-5f * largest);
        }

        Assert.NotEqual(frames[0].Map, frames[1].Map);
        using var memory = new DeviceBuffer(stream, Stride * Height);
        stream.Upload<byte>(Picture(0), memory.Address);
        var picture = new DeviceImage(memory.Address, Width, Height, Stride, PixelFormat.Rgb24);
        Frame again = onCuda.Detect(
            input => cuda.PreprocessDevice(picture, ColourAdjustment.None, input.Shape.H, input.Shape.W, input));
        TensorAssert.SameBits(frames[0].Map, again.Map, "the first picture again, from the device and by the graph");
        Assert.Equal(frames[0].Score, again.Score);
    }

    private static byte[] Picture(uint seed) => NoiseImage.Bytes(Stride * Height, seed);

    private sealed record Frame(float Score, float[] Map);

    private sealed class Detector : IDisposable
    {
        private readonly DetectionNetworks _networks;
        private readonly DetectionPlan _plan;

        public Detector(IBackend backend)
        {
            _networks = Drawn.Networks(backend, PdnSize.Small, trainable: false);
            _plan = new DetectionPlan(_networks, MapOrder.Reference, 64, 64);
        }

        public Frame Detect(byte[] pixels)
        {
            _plan.ComputeMaps(new ImageView(pixels, Width, Height, Stride, PixelFormat.Rgb24));
            return Combine();
        }

        public Frame Detect(Action<Tensor> preprocess)
        {
            _plan.ComputeMaps(preprocess);
            return Combine();
        }

        public void Dispose()
        {
            _plan.Dispose();
            _networks.Dispose();
        }

        private Frame Combine()
        {
            var map = new float[Width * Height];
            return new Frame(_plan.Combine(new MapScaling(0, 1, 0, 1), Height, Width, map), map);
        }
    }
}
