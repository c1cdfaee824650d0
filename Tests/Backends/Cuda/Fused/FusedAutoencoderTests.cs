using EfficientAD.Autograd;
using EfficientAD.Autograd.Operations;
using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Backends.Cuda;
using EfficientAD.Backends.Cuda.Fused;
using EfficientAD.Imaging;
using EfficientAD.Native;
using EfficientAD.Networks;
using EfficientAD.Networks.Folding;
using EfficientAD.Tensors;
using EfficientAD.Tests.Imaging;
using EfficientAD.Tests.Native;
using EfficientAD.Tests.References;
using PtxSimulator;
using PtxSimulator.Driver;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace EfficientAD.Tests.Backends.Cuda.Fused;

/// <summary>The fused autoencoder on the simulator against the CPU's layers in float32.</summary>
public sealed class FusedAutoencoderTests : IDisposable
{
    private const int Side = Autoencoder.InputSize, Channels = 64, Features = 384;

    // Rounding of weights and maps to 11 bits through thirteen layers, of the largest feature.
    private const double Tolerance = 4e-3;

    private readonly CpuBackend _cpu = new();
    private readonly Autoencoder _autoencoder;
    private readonly byte[] _frames = NoiseImage.Bytes(2 * 3 * Side * Side, seed: 3);

    public FusedAutoencoderTests() => _autoencoder = new Autoencoder(_cpu, trainable: false).Filled(_cpu, 5);

    [Theory]
    [InlineData(56, 56, 86, 0)]
    [InlineData(56, 56, 75, 0)]
    // Resized, shrinking one way and growing the other; blocks and warps in another order.
    [InlineData(9, 62, 86, 3)]
    public void Features_AreThoseOfTheCpu(int height, int width, int capability, int seed)
    {
        float[] expected = FeaturesOfCpu(0, height, width);
        (float[] actual, _) = Run(samples: 1, height, width, capability, seed, Checks.All);
        TensorAssert.Close(expected, actual, Tolerance * expected.Max(Math.Abs), because: "half precision");
    }

    [Fact]
    public void FeaturesLayerByLayer_AreThoseOfTheCpu()
    {
        float[] expected = FeaturesOfCpu(0, 56, 56);
        (float[] actual, int launches) = Run(samples: 1, 56, 56, 86, seed: 1, Checks.Bounds, isFused: false);
        TensorAssert.Close(expected, actual, Tolerance * expected.Max(Math.Abs), because: "half precision");
        Assert.Equal(22, launches);  // eight channels, thirteen convolutions, seven resizes, zeros around
    }

    [Fact]
    public void Batch_HasTheBitsOfItsSamples()
    {
        (float[] both, int launches) = Run(samples: 2, 56, 56, 86, seed: 1, Checks.Bounds);
        (float[] one, _) = Run(samples: 1, 56, 56, 86, seed: 2, Checks.Bounds);
        Assert.Equal(8, launches);
        TensorAssert.SameBits(one, both.AsSpan(0, one.Length), "the first of two");
        float[] second = FeaturesOfCpu(1, 56, 56);
        TensorAssert.Close(
            second, both.AsSpan(one.Length), Tolerance * second.Max(Math.Abs), because: "half precision");
    }

    public void Dispose()
    {
        _autoencoder.Dispose();
        _cpu.Dispose();
    }

    private float[] FeaturesOfCpu(int sample, int height, int width)
    {
        var frame = new ImageView(_frames.AsSpan(sample * 3 * Side * Side), Side, Side, 3 * Side, PixelFormat.Rgb24);
        using var tape = new Tape(_cpu);
        Tensor image = tape.Allocate(new Shape(1, 3, Side, Side));
        _cpu.Preprocess(frame, ColourAdjustment.None, Side, Side, image);
        Variable features = tape.ResizeBilinear(
            _autoencoder.Forward(tape, Variable.Constant(image), DecoderSource.OutputSide), height, width);
        tape.Forward();
        var values = new float[features.Value.Shape.Count];
        _cpu.Download(features.Value, values);
        return values;
    }

    /// <summary>What the last layer, in double, makes of the maps that the device leaves for it: [samples, 384, h,
    /// w].</summary>
    private (float[] Features, int Launches) Run(
        int samples, int height, int width, int capability, int seed, Checks checks, bool isFused = true)
    {
        using var gpu = new SimulatedContext(options: new SimulatedDeviceOptions
        {
            ComputeCapability = capability,
            Seed = seed,
            Checks = checks,
            Counters = false,
            MemoryBytes = 64 << 20,
        });
        using var kernels = new KernelLibrary(gpu.Context);
        using DeviceBuffer frames = DeviceArray.Upload<byte>(gpu.Stream, _frames);
        using var image = new DeviceBuffer(gpu.Stream, HalfImage.Bytes(samples, Side, Side));
        using var preprocessing = new FramePreprocessing(
            gpu.Stream, kernels, Side, Side, new HalfImage(image.Address, Side, Side));
        preprocessing.Launch(
            gpu.Stream, new DeviceImage(frames.Address, Side, Side, 3 * Side, PixelFormat.Rgb24), 3 * Side * Side,
            samples);
        using DecoderSource autoencoder = isFused
            ? new FusedAutoencoder(gpu.Stream, kernels, _cpu, _autoencoder, samples)
            : new LayeredAutoencoder(gpu.Stream, kernels, _cpu, _autoencoder, samples);
        using var columns = new DecoderColumns(gpu.Stream, kernels, samples, height, width);
        SimulatedDriver.ClearLaunches(gpu.Ordinal);
        autoencoder.Launch(gpu.Stream, new HalfImage(image.Address, Side, Side), samples);
        bool isResized = !DecoderColumns.AreNotNeeded(height, width);
        if (isResized) columns.Launch(gpu.Stream, autoencoder.Hidden, samples);
        DecoderMap map = isResized ? columns.Output : autoencoder.Output;
        var halves = new Half[samples * map.SamplePitch];
        gpu.Stream.Download<Half>(map.Address, halves);
        return (LastLayer(halves, map, samples, height, width), SimulatedDriver.Launches(gpu.Ordinal).Count);
    }

    private float[] LastLayer(Half[] halves, DecoderMap map, int samples, int height, int width)
    {
        LayerWeights layer = LayerWeights.Of(_cpu, _autoencoder.Layers[^1]);
        // Each output's weights as a window lies in memory: [tap, channel].
        double[][] weights =
        [
            .. Enumerable.Range(0, Features).Select(output => Enumerable.Range(0, 9 * Channels).Select(k =>
                (double)layer.Weights[(output * Channels + k % Channels) * 9 + k / Channels]).ToArray()),
        ];
        var values = new float[samples * Features * height * width];
        Parallel.For(0, samples * height * width, i =>
        {
            int n = i / (height * width), y = i / width % height, x = i % width;
            var window = new double[9 * Channels];
            for (int k = 0; k < window.Length; k++)
            {
                (int tap, int channel) = Math.DivRem(k, Channels);
                window[k] = (double)halves[n * map.SamplePitch + y * map.RowPitch + x * map.PixelPitch
                    + tap / 3 * map.TapRowPitch + tap % 3 * map.TapColumnPitch + channel];
            }

            for (int output = 0; output < Features; output++)
            {
                double sum = layer.Bias[output] + TensorPrimitives.Dot<double>(window, weights[output]);
                values[(n * Features + output) * height * width + y * width + x] = (float)sum;
            }
        });
        return values;
    }
}
