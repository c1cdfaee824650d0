using EfficientAD.Backends.Cuda.Fused;
using EfficientAD.Networks.Folding;
using EfficientAD.Networks.Quantization;
using EfficientAD.Tensors;
using PtxSimulator;
using PtxSimulator.Counting;
using PtxSimulator.Reports;

namespace EfficientAD.Tests.Backends.Cuda.Fused;

/// <summary>What PDN-S's fused kernels may cost, with its channels and as many pixels as the large tile fits exactly:
/// counted by the simulator, so that a change that costs traffic or conflicts is seen without a GPU.</summary>
public class FusedCounterTests
{
    private const int Outputs = 384, DecoderChannels = 64;

    [Fact]
    public void First()
    {
        const int h = 19, w = 131, outputs = 256, oh = 8, ow = 64;
        using FusedDevice device = Counting();
        using var layer = new FirstConvolution(
            device.Stream, device.Kernels, PixelMap.Layer(outputs, 3, 4, 1).ForBytes(bordered: false));
        nint image = device.Upload(PixelMap.Random(new Shape(1, 4, h, w + 1), 2).Values);
        layer.Launch(device.Stream, image, 1, h, w, device.Allocate(2L * oh * ow * outputs));
        // 64 of k, of which 49 do something.
        AssertCheap(
            device.LastLaunch, usefulProducts: 4L * oh * ow * outputs * 64, leastFlopPerByte: 80, mostSharedPerMma: 0.7,
            compulsoryBytes: 2L * (h * (w + 1) * 4 + 64 * outputs + oh * ow * outputs));
    }

    [Fact]
    public void HiddenWithPool() => Hidden(size: 19, inputs: 128, kernel: 4, pool: true, outputPixels: 64);

    [Fact]
    public void HiddenWithoutPool() => Hidden(size: 18, inputs: 256, kernel: 3, pool: false, outputPixels: 256);

    /// <summary>Half the bytes of halves for the same products.</summary>
    [Fact]
    public void HiddenOf8Bits()
    {
        const int size = 19, inputs = 128, kernel = 4, outputs = 256, both = 2 * outputs, pixels = 256, windows = 64;
        using FusedDevice device = Counting();
        QuantizedLayer layer = Quantize(PixelMap.Layer(outputs, inputs, kernel, 1));
        float[] steps = [.. Enumerable.Repeat(0.1f, outputs)];
        using var convolution = new HiddenConvolution(
            device.Stream, device.Kernels, layer, steps, layer, steps, pool: true);
        nint input = device.Upload(new byte[size * size * 2 * inputs]);
        convolution.Launch(device.Stream, input, 1, size, size, device.Allocate(windows * both), FusedTile.Large);
        AssertCheap(
            device.LastLaunch, 2L * pixels * layer.Weights.Length, leastFlopPerByte: 160, mostSharedPerMma: 1.5,
            size * size * 2 * inputs + 2 * layer.Weights.Length + windows * both + 8 * both);
    }

    [Fact]
    public void LastOf8Bits()
    {
        const int size = 19, pixels = 256, hiddenChannels = 256, kernel = 4, bordered = size - kernel + 3;
        using FusedDevice device = Counting();
        QuantizedLayer local = Quantize(PixelMap.Layer(Outputs, 2 * hiddenChannels, kernel, 1));
        QuantizedLayer student = Quantize(PixelMap.Layer(Outputs, hiddenChannels, kernel, 2));
        LayerWeights decoder = PixelMap.Layer(Outputs, DecoderChannels, 3, 3);
        using var layer = new LastConvolution(device.Stream, device.Kernels, local, student, decoder);
        PixelMap map = PixelMap.Random(new Shape(1, DecoderChannels, bordered, bordered), 5);
        const int row = bordered * DecoderChannels;
        const int parts = LastConvolution.Parts * pixels;
        const int hidden = size * size * 2 * hiddenChannels;
        var pitches = new DecoderMap(
            device.Upload(map.Values), bordered * row, row, DecoderChannels, row, DecoderChannels);
        layer.Launch(
            device.Stream, device.Upload(new byte[hidden]), pitches, 1, size, size, device.Allocate(4L * parts),
            device.Allocate(4L * parts), FusedTile.Large);
        long bytes = local.Weights.Length + student.Weights.Length, halves = decoder.Weights.Length;
        AssertCheap(
            device.LastLaunch, pixels * (bytes + halves), leastFlopPerByte: 150, mostSharedPerMma: 1.5,
            hidden + bytes + 2L * (map.Values.Length + halves) + 8L * (2 * Outputs + parts));
    }

    [Fact]
    public void Last()
    {
        const int size = 19, pixels = 256, hiddenChannels = 256, kernel = 4, bordered = size - kernel + 3;
        using FusedDevice device = Counting();
        LayerWeights local = PixelMap.Layer(Outputs, 2 * hiddenChannels, kernel, 1);
        LayerWeights student = PixelMap.Layer(Outputs, hiddenChannels, kernel, 2);
        LayerWeights decoder = PixelMap.Layer(Outputs, DecoderChannels, 3, 3);
        using var layer = new LastConvolution(device.Stream, device.Kernels, local, student, decoder);
        PixelMap hidden = PixelMap.Random(new Shape(1, 2 * hiddenChannels, size, size), 4);
        PixelMap map = PixelMap.Random(new Shape(1, DecoderChannels, bordered, bordered), 5);
        const int row = bordered * DecoderChannels, parts = LastConvolution.Parts * pixels;
        var pitches = new DecoderMap(
            device.Upload(map.Values), bordered * row, row, DecoderChannels, row, DecoderChannels);
        layer.Launch(
            device.Stream, device.Upload(hidden.Values), pitches, 1, size, size, device.Allocate(4L * parts),
            device.Allocate(4L * parts), FusedTile.Large);
        long weights = local.Weights.Length + student.Weights.Length + decoder.Weights.Length;
        AssertCheap(
            device.LastLaunch, pixels * weights, leastFlopPerByte: 80, mostSharedPerMma: 1.5,
            2L * (hidden.Values.Length + map.Values.Length + weights) + 4L * (2 * Outputs + 2 * parts));
    }

    /// <summary>At least nine tenths of a full-size layer's products are wanted: the rest fill up its last
    /// tile.</summary>
    [Theory]
    [InlineData(61 * 61 * 4, 4)] // conv2 of PDN-S, windows of 2 x 2
    [InlineData(59 * 59, 4)]     // conv3
    [InlineData(56 * 56, 6)]     // last
    public void FullSizeTiles_AreFull(int rows, int columns)
    {
        foreach (FusedTile tile in FusedTile.All)
        {
            long computed = (long)tile.Blocks(rows, columns) * tile.Pixels;
            Assert.InRange((double)rows * columns / computed, 0.9, 1);
        }
    }

    private static QuantizedLayer Quantize(LayerWeights layer) =>
        QuantizedLayer.Of(layer, EightBits.Int8, [.. Enumerable.Repeat((1f, 0.1f), layer.Shape.C)]);

    private static FusedDevice Counting() => new(seed: 0, checks: Checks.None, counters: true);

    private static void Hidden(int size, int inputs, int kernel, bool pool, int outputPixels)
    {
        const int outputs = 256, both = 2 * outputs, pixels = 256;
        using FusedDevice device = Counting();
        LayerWeights weights = PixelMap.Layer(outputs, inputs, kernel, 1);
        using var layer = new HiddenConvolution(device.Stream, device.Kernels, weights, weights, pool);
        nint input = device.Upload(PixelMap.Random(new Shape(1, 2 * inputs, size, size), 2).Values);
        layer.Launch(
            device.Stream, input, 1, size, size, device.Allocate(2L * outputPixels * both), FusedTile.Large);
        AssertCheap(
            device.LastLaunch, 2L * pixels * weights.Weights.Length, leastFlopPerByte: 80, mostSharedPerMma: 1.5,
            2L * (size * size * 2 * inputs + 2 * weights.Weights.Length + outputPixels * both) + 4 * both);
    }

    private static void AssertCheap(
        LaunchSummary launch, long usefulProducts, double leastFlopPerByte, double mostSharedPerMma,
        long compulsoryBytes)
    {
        var report = new KernelReport(launch.Kernel, [launch]);
        double all = report.MmaMultiplyAdds + report.FmaMultiplyAdds;
        Assert.InRange(report.MmaMultiplyAdds / all, 0.97, 1);
        Assert.Equal(usefulProducts, report.MmaMultiplyAdds);
        Assert.InRange(report.BankConflicts!.Value, 0, 0.02);
        Assert.InRange(1 / report.Coalescing!.Value, 0, 1.03);
        Assert.InRange(report.CompulsoryBytes / (double)compulsoryBytes, 0.98, 1.02);
        Assert.InRange(2.0 * report.MmaMultiplyAdds / report.MovedBytes, leastFlopPerByte, double.PositiveInfinity);
        double sharedPerMma = report.SharedTraffic.Cycles / (double)report.CountOf(InstructionClass.Mma);
        Assert.InRange(sharedPerMma, 0, mostSharedPerMma);
    }
}
