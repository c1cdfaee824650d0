using EfficientAD.Backends.Cuda;
using EfficientAD.Backends.Cuda.Fused;
using EfficientAD.Native;
using EfficientAD.Networks.Folding;
using EfficientAD.Tensors;
using EfficientAD.Tests.Native;
using PtxSimulator;
using PtxSimulator.Driver;
using PtxSimulator.Reports;

namespace EfficientAD.Tests.Backends.Cuda.Fused;

/// <summary>The kernels of fused_convolution_hopper.cu on the simulator, watched by all checks, against plain loops
/// over the same half-precision numbers with sums in double.</summary>
public class HopperConvolutionTests
{
    private static SimulatedContext Hopper(int seed) => new(options: new SimulatedDeviceOptions
    {
        ComputeCapability = 90,
        MemoryBytes = 256 << 20,
        Seed = seed,
    });

    private static float[] Halves(int count, int seed, double scale)
    {
        var numbers = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(Half)((numbers.NextDouble() * 2 - 1) * scale))];
    }

    // Weights that keep sums around 1.
    private static LayerWeights Layer(int outputs, int inputs, int size, int seed)
    {
        var shape = new Shape(outputs, inputs, size, size);
        return new LayerWeights(
            shape, Halves((int)shape.Count, seed, 2 / Math.Sqrt(shape.SampleCount)), Halves(outputs, seed + 1, 0.3));
    }

    private static DeviceBuffer Upload(CudaStream stream, float[] values)
    {
        var buffer = new DeviceBuffer(stream, 2L * values.Length);
        stream.Upload<Half>(Array.ConvertAll(values, value => (Half)value), buffer.Address);
        return buffer;
    }

    // A sum over the taps of a kernel and the input channels from `first` on, at one pixel.
    private static double Sum(
        float[] map, int height, int width, int channels, int first, LayerWeights layer, int output, int n, int y,
        int x)
    {
        double sum = layer.Bias[output];
        int size = layer.Shape.H;
        for (int ky = 0; ky < size; ky++)
            for (int kx = 0; kx < size; kx++)
            {
                int pixel = (((n * height + y + ky) * width) + x + kx) * channels + first;
                for (int channel = 0; channel < layer.Shape.C; channel++)
                    sum += (double)map[pixel + channel]
                        * layer.Weights[((output * layer.Shape.C + channel) * size + ky) * size + kx];
            }

        return sum;
    }

    private static Half[] RunHidden(
        SimulatedContext own, float[] input, int n, int h, int w, LayerWeights teacher, LayerWeights student, bool pool,
        int count)
    {
        using var kernels = new KernelLibrary(own.Context);
        using var layer = new HopperHiddenConvolution(own.Stream, kernels, teacher, student, pool);
        using DeviceBuffer source = Upload(own.Stream, input);
        using var target = new DeviceBuffer(own.Stream, 2L * count);
        layer.Launch(own.Stream, source.Address, n, h, w, target.Address);
        var written = new Half[count];
        own.Stream.Download<Half>(target.Address, written);
        return written;
    }

    [Theory]
    [InlineData(2, 20, 23, 64, 128, 128, 4, true)] // 17 x 20 sums, of which the pool leaves one row out
    [InlineData(1, 11, 20, 64, 128, 256, 3, false)]
    [InlineData(1, 9, 17, 128, 128, 128, 1, false)]
    public void HiddenLayer_AgreesWithPlainLoops(
        int n, int h, int w, int inputs, int teacherOutputs, int studentOutputs, int size, bool pool)
    {
        LayerWeights teacher = Layer(teacherOutputs, inputs, size, 1), student = Layer(studentOutputs, inputs, size, 3);
        float[] input = Halves(n * h * w * 2 * inputs, 5, 1);
        int outputs = teacherOutputs + studentOutputs, step = pool ? 2 : 1;
        int height = (h - size + 1) / step, width = (w - size + 1) / step;
        using SimulatedContext own = Hopper(seed: 0);
        Half[] written = RunHidden(own, input, n, h, w, teacher, student, pool, n * height * width * outputs);
        Parallel.For(0, n * height * width, pixel =>
        {
            (int image, int y, int x) = (pixel / width / height, pixel / width % height, pixel % width);
            for (int output = 0; output < outputs; output++)
            {
                (LayerWeights layer, int row, int first) =
                    output < teacherOutputs ? (teacher, output, 0) : (student, output - teacherOutputs, inputs);
                double mean = 0;
                for (int i = 0; i < step * step; i++)
                {
                    double sum = Sum(
                        input, h, w, 2 * inputs, first, layer, row, image, y * step + i / step, x * step + i % step);
                    mean += Math.Max(sum, 0) / (step * step);
                }

                // Half precision keeps 11 bits.
                double actual = (double)written[pixel * outputs + output];
                Assert.True(Math.Abs(actual - mean) <= 1e-5 + Math.Abs(mean) / 1900,
                    $"Image {image}, pixel ({y}, {x}), channel {output}: {actual}, expected {mean}.");
            }
        });
    }

    [Fact]
    public void EverySchedule_GivesTheSameBits()
    {
        LayerWeights teacher = Layer(128, 64, 2, 1), student = Layer(128, 64, 2, 3);
        float[] input = Halves(1 * 10 * 18 * 128, 5, 1);
        Half[][] results = [.. Enumerable.Range(0, 3).Select(seed =>
        {
            using SimulatedContext own = Hopper(seed);
            return RunHidden(own, input, 1, 10, 18, teacher, student, pool: true, 4 * 8 * 256);
        })];
        Assert.Equal(results[0], results[1]);
        Assert.Equal(results[0], results[2]);
    }

    [Theory]
    [InlineData(12, 20, false, 1)] // 9 x 17 pixels
    [InlineData(12, 20, true, 2)]
    public void LastLayers_AgreeWithPlainLoops(int h, int w, bool isUnfolded, int seed)
    {
        const int Outputs = 384, Teacher = 64, Student = 64, Decoder = 64, Size = 4;
        LayerWeights local = Layer(Outputs, Teacher + Student, Size, 1), student = Layer(Outputs, Student, Size, 3),
            decoder = Layer(Outputs, Decoder, 3, 5);
        int height = h - Size + 1, width = w - Size + 1, count = height * width;
        float[] hidden = Halves(h * w * (Teacher + Student), 7, 1);
        float[] bordered = Halves((height + 2) * (width + 2) * Decoder, 9, 1);
        float[] unfolded = [.. from pixel in Enumerable.Range(0, count)
                               from tap in Enumerable.Range(0, 9)
                               let at = (pixel / width + tap / 3) * (width + 2) + pixel % width + tap % 3
                               from channel in Enumerable.Range(0, Decoder)
                               select bordered[at * Decoder + channel]];
        using SimulatedContext own = Hopper(seed);
        using var kernels = new KernelLibrary(own.Context);
        using var layer = new HopperLastConvolution(own.Stream, kernels, local, student, decoder);
        using DeviceBuffer source = Upload(own.Stream, hidden);
        using DeviceBuffer other = Upload(own.Stream, isUnfolded ? unfolded : bordered);
        using var maps = new DeviceBuffer(own.Stream, 2L * HopperLastConvolution.Parts * count * sizeof(float));
        DecoderMap map = isUnfolded
            ? new(other.Address, count * 9 * Decoder, width * 9 * Decoder, 9 * Decoder, 3 * Decoder, Decoder)
            : new(other.Address, bordered.Length, (width + 2) * Decoder, Decoder, (width + 2) * Decoder, Decoder);
        nint global = maps.Address + HopperLastConvolution.Parts * count * sizeof(float);
        layer.Launch(own.Stream, source.Address, map, 1, h, w, maps.Address, global);
        var written = new float[2 * HopperLastConvolution.Parts * count];
        own.Stream.Download<float>(maps.Address, written);
        Parallel.For(0, count, pixel =>
        {
            (int y, int x) = (pixel / width, pixel % width);
            for (int part = 0; part < 2 * HopperLastConvolution.Parts; part++)
            {
                double expected = 0;
                for (int i = 0; i < 128; i++)
                {
                    int output = part % HopperLastConvolution.Parts * 128 + i;
                    double sum = part < HopperLastConvolution.Parts
                        ? Sum(hidden, h, w, Teacher + Student, 0, local, output, 0, y, x)
                        : Sum(bordered, height + 2, width + 2, Decoder, 0, decoder, output, 0, y, x)
                            - Sum(hidden, h, w, Teacher + Student, Teacher, student, output, 0, y, x);
                    expected += sum * sum;
                }

                // Sums of 2048 products and 128 squares in float.
                Assert.InRange(written[part * count + pixel], expected * (1 - 1e-5), expected * (1 + 1e-5));
            }
        });
    }

    /// <summary>What decides above an A6000's class: how much arithmetic a byte from the L2 cache is used for. With
    /// real channel counts, on one full tile.</summary>
    [Fact]
    public void SecondLayer_AsksTheCacheForFewBytes()
    {
        const int Inputs = 128, Size = 4, Tile = 16, Outputs = 256;
        LayerWeights layer = Layer(Outputs / 2, Inputs, Size, 1);
        float[] input = Halves((Tile + 3) * (Tile + 3) * 2 * Inputs, 5, 1);
        using SimulatedContext own = Hopper(seed: 0);
        RunHidden(own, input, 1, Tile + 3, Tile + 3, layer, layer, pool: true, Tile * Tile / 4 * Outputs);
        LaunchSummary launch = Assert.Single(SimulatedDriver.Launches(own.Ordinal));
        long products = (long)Tile * Tile * Outputs * Inputs * Size * Size;
        Assert.Equal(products, launch.MmaMultiplyAdds);  // none is useless
        Assert.True(
            2.0 * products / (32 * launch.GlobalLoads.Sectors) > 180,
            $"{2.0 * products / (32 * launch.GlobalLoads.Sectors)} FLOP / B");
        Assert.Equal(launch.GlobalStores.BytesAsked, 32 * launch.GlobalStores.Sectors);
    }
}
