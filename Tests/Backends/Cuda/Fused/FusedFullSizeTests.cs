using EfficientAD.Backends.Cuda.Fused;
using EfficientAD.Networks.Folding;
using EfficientAD.Tensors;
using PtxSimulator;
using PtxSimulator.Counting;
using PtxSimulator.Reports;

namespace EfficientAD.Tests.Backends.Cuda.Fused;

/// <summary>PDN-S's heavy layers at their full size for 256 x 256 pixels, a random few of their outputs compared: 38 G
/// multiply-adds in software, for nightly runs: EFFICIENTAD_FULL_SIZE=1 and -trait "Size=full". What the simulator
/// counts goes to the test's output.</summary>
[Trait("Size", "full")]
public class FusedFullSizeTests(ITestOutputHelper log)
{
    private const int Samples = 300;

    [Theory]
    [InlineData(126, 128, 4, true)]
    [InlineData(61, 256, 3, false)]
    public void Hidden(int size, int inputs, int kernel, bool pool)
    {
        SkipUnlessAsked();
        const int outputs = 256, both = 2 * outputs;
        int convolved = size - kernel + 1, stored = pool ? convolved / 2 : convolved;
        using FusedDevice device = Counting();
        LayerWeights teacher = PixelMap.Layer(outputs, inputs, kernel, 1);
        LayerWeights student = PixelMap.Layer(outputs, inputs, kernel, 2);
        PixelMap input = PixelMap.Random(new Shape(1, 2 * inputs, size, size), 3);
        using var layer = new HiddenConvolution(device.Stream, device.Kernels, teacher, student, pool);
        nint output = device.Allocate(2L * stored * stored * both);
        layer.Launch(device.Stream, device.Upload(input.Values), 1, size, size, output, FusedTile.Large);
        float[] actual = device.DownloadHalves(output, stored * stored * both);
        var random = new Random(4);
        for (int i = 0; i < Samples; i++)
        {
            (int y, int x, int channel) = (random.Next(stored), random.Next(stored), random.Next(both));
            bool isTeacher = channel < outputs;
            double sum = 0;
            for (int corner = 0; corner < (pool ? 4 : 1); corner++)
            {
                (int top, int left) = pool ? (2 * y + corner / 2, 2 * x + corner % 2) : (y, x);
                sum += Math.Max(0, input.ConvolveAt(
                    isTeacher ? teacher : student, 0, top, left, channel % outputs, isTeacher ? 0 : inputs));
            }

            double expected = sum / (pool ? 4 : 1), written = actual[(y * stored + x) * both + channel];
            Assert.InRange(Math.Abs(written - expected), 0, 6e-4 * expected + 1e-4);
        }

        Log(device);
    }

    [Fact]
    public void Last()
    {
        SkipUnlessAsked();
        const int size = 59, channels = 256, kernel = 4, outputs = 384, decoderChannels = 64, oh = 56, bordered = 58;
        using FusedDevice device = Counting();
        LayerWeights local = PixelMap.Layer(outputs, 2 * channels, kernel, 1);
        LayerWeights student = PixelMap.Layer(outputs, channels, kernel, 2);
        LayerWeights decoder = PixelMap.Layer(outputs, decoderChannels, 3, 3);
        PixelMap hidden = PixelMap.Random(new Shape(1, 2 * channels, size, size), 4);
        PixelMap map = PixelMap.Random(new Shape(1, decoderChannels, bordered, bordered), 5);
        using var layer = new LastConvolution(device.Stream, device.Kernels, local, student, decoder);
        const int row = bordered * decoderChannels, count = LastConvolution.Parts * oh * oh;
        var pitches = new DecoderMap(
            device.Upload(map.Values), bordered * row, row, decoderChannels, row, decoderChannels);
        nint localParts = device.Allocate(4L * count), globalParts = device.Allocate(4L * count);
        layer.Launch(
            device.Stream, device.Upload(hidden.Values), pitches, 1, size, size, localParts, globalParts,
            FusedTile.Large);
        float[] locals = device.DownloadFloats(localParts, count), globals = device.DownloadFloats(globalParts, count);
        var random = new Random(6);
        for (int i = 0; i < Samples / 30; i++)
        {
            (int y, int x) = (random.Next(oh), random.Next(oh));
            (double expectedLocal, double expectedGlobal) = (0, 0);
            for (int output = 0; output < outputs; output++)
            {
                double difference = hidden.ConvolveAt(local, 0, y, x, output);
                expectedLocal += difference * difference;
                difference =
                    map.ConvolveAt(decoder, 0, y, x, output) - hidden.ConvolveAt(student, 0, y, x, output, channels);
                expectedGlobal += difference * difference;
            }

            Assert.Equal(1, Sum(locals, y * oh + x) / expectedLocal, 2e-5);
            Assert.Equal(1, Sum(globals, y * oh + x) / expectedGlobal, 2e-5);
        }

        Log(device);

        static double Sum(float[] parts, int pixel) =>
            Enumerable.Range(0, LastConvolution.Parts).Sum(part => parts[part * oh * oh + pixel]);
    }

    private static void SkipUnlessAsked() => Assert.SkipUnless(
        Environment.GetEnvironmentVariable("EFFICIENTAD_FULL_SIZE") == "1", "Takes long: set EFFICIENTAD_FULL_SIZE=1.");

    private static FusedDevice Counting() => new(seed: 0, checks: Checks.None, counters: true);

    private void Log(FusedDevice device)
    {
        LaunchSummary launch = device.LastLaunch;
        var report = new KernelReport(launch.Kernel, [launch]);
        log.WriteLine(
            $"{launch.Kernel}: {report.MmaMultiplyAdds / 1e9:0.00} G multiply-adds by mma, " +
            $"{report.MovedBytes / 1e6:0.0} MB moved, {report.CompulsoryBytes / 1e6:0.0} MB compulsory, " +
            $"{2.0 * report.MmaMultiplyAdds / report.MovedBytes:0} FLOP / B, " +
            $"{report.SharedTraffic.Cycles / (double)report.CountOf(InstructionClass.Mma):0.00} cycles of shared " +
            $"memory per mma, {report.BankConflicts:P1} conflicts, coalescing {report.Coalescing:0.00}");
        foreach (Card card in Card.Known)
        {
            PredictedTime time = report.Predict(card);
            log.WriteLine($"  {card.Name}: {time.Microseconds:0} us predicted, bound by {time.Bound}");
        }
    }
}
