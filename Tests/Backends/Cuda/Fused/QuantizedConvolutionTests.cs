using EfficientAD.Backends.Cuda.Fused;
using EfficientAD.Networks.Folding;
using EfficientAD.Networks.Quantization;
using EfficientAD.Tensors;
using EfficientAD.Tests.References;

namespace EfficientAD.Tests.Backends.Cuda.Fused;

/// <summary>The fused kernels of 8-bit numbers in every tile on the simulator, watched by all checks, against loops
/// over every product in double, which are exact. Schedules are those of the halves' kernels, the code being the
/// same.</summary>
public class QuantizedConvolutionTests
{
    private const int Seed = 3;

    public static TheoryData<string, HiddenCase> HiddenCases
    {
        get
        {
            var cases = new TheoryData<string, HiddenCase>();
            foreach (string format in new[] { "int8", "fp8" })
            {
                // An odd row left out.
                cases.Add(format, new HiddenCase(1, 33, 6, 5, 4, 128, 128, Pool: true, Inputs: 64));
                // Both samples in one tile.
                cases.Add(format, new HiddenCase(2, 9, 9, 8, 4, 128, 128, Pool: true, Inputs: 64));
                cases.Add(format, new HiddenCase(1, 10, 9, 13, 3, 128, 128, Pool: false, Inputs: 128));
                // As M's last but one.
                cases.Add(format, new HiddenCase(1, 7, 5, 6, 4, 128, 256, Pool: false, Inputs: 64));
            }

            return cases;
        }
    }

    [Theory, MemberData(nameof(HiddenCases))]
    public void Hidden_MatchesPlainLoops(string name, HiddenCase c)
    {
        EightBits format = Find(name);
        (float[] teacherSteps, float[] studentSteps) = (Steps(c.Teacher), Steps(c.Student));
        (PixelMap numbers, byte[] bits) = Map(format, new Shape(c.N, 2 * c.Inputs, c.H, c.W), (ulong)c.Seed);
        (QuantizedLayer teacher, QuantizedLayer student) = (
            Quantize(c.Layers.Teacher, format), Quantize(c.Layers.Student, format));
        float[] scales = [.. teacher.Scales(teacherSteps), .. student.Scales(studentSteps)];
        double[] sums = PixelMap.Join(
            numbers.Convolve(Numbers(teacher)), c.Teacher, numbers.Convolve(Numbers(student), c.Inputs), c.Student);
        byte[] expected = Finish(format, sums, scales, c);
        using FusedDevice device = Device(format);
        using var layer = new HiddenConvolution(
            device.Stream, device.Kernels, teacher, teacherSteps, student, studentSteps, c.Pool);
        nint map = device.Upload(bits);
        foreach (FusedTile tile in FusedTile.All)
        {
            nint output = device.Allocate(expected.Length);
            layer.Launch(device.Stream, map, c.N, c.H, c.W, output, tile);
            AssertSame(format, expected, device.DownloadBytes(output, expected.Length), tile.Name);
        }
    }

    [Theory]
    [InlineData("int8", 4, false)]
    [InlineData("int8", 1, true)]
    [InlineData("fp8", 4, true)]
    [InlineData("fp8", 1, false)]
    public void Last_MatchesPlainLoops(string name, int kernel, bool columns)
    {
        EightBits format = Find(name);
        var c = new LastCase(1, 6 + kernel, 8, kernel, Teacher: 64, Student: 64, columns);
        (PixelMap numbers, byte[] bits) = Map(format, c.Hidden.Shape, 5);
        (QuantizedLayer local, QuantizedLayer student) = (Quantize(c.Local, format), Quantize(c.StudentLayer, format));
        double[] difference = Scaled(numbers.Convolve(Numbers(local)), local);
        double[] imitation = Scaled(numbers.Convolve(Numbers(student), c.Teacher), student);
        double[] predicted = c.DecoderMap.Convolve(LastCase.DecoderLayer);
        (double[] expectedLocal, double[] expectedGlobal) =
            (LastCase.Squares(difference), LastCase.Squares([.. predicted.Zip(imitation, (a, b) => a - b)]));
        using FusedDevice device = Device(format);
        using var layer = new LastConvolution(device.Stream, device.Kernels, local, student, LastCase.DecoderLayer);
        c.CheckInEveryTile(device, layer, device.Upload(bits), expectedLocal, expectedGlobal);
    }

    /// <summary>The first layer reads halves, so that sums have their rounding: a value near the middle of two numbers
    /// may become either.</summary>
    [Theory]
    [InlineData("int8")]
    [InlineData("fp8")]
    public void First_RoundsToTheNearestNumber(string name)
    {
        const int h = 14, w = 23, pitch = 24, outputs = 256;
        const float sumRounding = 0.03f;
        EightBits format = Find(name);
        Half[] image = Array.ConvertAll(
            Drawn.Symmetric(7, 0, 128, h * pitch * 4), value => (Half)(MathF.Floor(value + 128) / 256));
        for (int i = 3; i < image.Length; i += 4) image[i] = Half.One;
        LayerWeights layer =
            PixelMap.Layer(outputs, 3, 4, 8).ForBytes(bordered: false).Over([.. Enumerable.Repeat(0.05f, outputs)]);
        double[] sums = PixelMap.Rectify(new PixelMap(new Shape(1, 4, h, pitch), image).Convolve(layer));
        double[] cropped = [.. Enumerable.Range(0, h - 3).SelectMany(y =>
            sums[(y * (pitch - 3) * outputs)..((y * (pitch - 3) + w - 3) * outputs)])];
        double[] expected = PixelMap.Pool(cropped, 1, h - 3, w - 3, outputs);
        using FusedDevice device = Device(format);
        using var convolution = new FirstConvolution(device.Stream, device.Kernels, layer, format);
        nint output = device.Allocate(expected.Length);
        convolution.Launch(device.Stream, device.Upload(image), 1, h, w, output);
        byte[] actual = device.DownloadBytes(output, expected.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            float rounding = MathF.Max(sumRounding, 1e-3f * (float)expected[i]), value = Number(format, actual[i]);
            Assert.InRange(
                value, format.RoundActivation((float)expected[i] - rounding),
                format.RoundActivation((float)expected[i] + rounding));
        }

        Assert.Contains(actual, value => value > 60);
    }

    private static float[] Steps(int channels) =>
        [.. Enumerable.Range(0, channels).Select(i => i % 3 == 0 ? 0.04f : 0.05f)];

    private static EightBits Find(string name) => EightBits.All.Single(format => format.Name == name);

    private static FusedDevice Device(EightBits format) => new(Seed, format == EightBits.Fp8 ? 89 : 80);

    /// <summary>Any activations that the format has, as numbers and as bits.</summary>
    private static (PixelMap Numbers, byte[] Bits) Map(EightBits format, Shape shape, ulong seed)
    {
        // NaN's bits are the first beyond those of e4m3's positive numbers.
        int count = format == EightBits.Int8 ? 256 : 127;
        byte[] bits =
            Array.ConvertAll(Drawn.Symmetric(seed, 3, count / 2.0, shape.Count), value => (byte)(value + count / 2.0));
        return (new PixelMap(shape, Array.ConvertAll(bits, value => (Half)Number(format, value))), bits);
    }

    private static float Number(EightBits format, byte bits)
    {
        if (format == EightBits.Int8) return bits;
        (int exponent, int fraction) = (bits >> 3, bits & 7);
        return exponent == 0 ? MathF.ScaleB(fraction, -9) : MathF.ScaleB(8 + fraction, exponent - 10);
    }

    private static QuantizedLayer Quantize(LayerWeights layer, EightBits format) => QuantizedLayer.Of(
        layer, format, [.. Enumerable.Range(0, layer.Shape.C).Select(i => (0.5f, i % 2 == 0 ? 0.02f : 0.03f))]);

    /// <summary>The same sums without factor and bias.</summary>
    private static LayerWeights Numbers(QuantizedLayer layer) =>
        new(layer.Shape, layer.Weights.ToArray(), new float[layer.Shape.N]);

    private static double[] Scaled(double[] sums, QuantizedLayer layer)
    {
        (float[] scales, int outputs) = (layer.Scales(), layer.Shape.N);
        return [.. sums.Select((sum, i) => sum * scales[i % outputs * 2] + scales[i % outputs * 2 + 1])];
    }

    /// <summary>What the epilogue makes of exact sums, operation by operation.</summary>
    private static byte[] Finish(EightBits format, double[] sums, float[] scales, HiddenCase c)
    {
        int channels = c.Teacher + c.Student, height = c.H - c.Kernel + 1, width = c.W - c.Kernel + 1;
        float[] values = [.. sums.Select((sum, i) =>
        {
            (float factor, float bias) = (scales[i % channels * 2], scales[i % channels * 2 + 1]);
            return MathF.Max(MathF.FusedMultiplyAdd((float)sum, factor, bias), 0);
        })];
        if (!c.Pool) return Array.ConvertAll(values, Bits);
        var pooled = new byte[c.N * (height / 2) * (width / 2) * channels];
        for (int i = 0; i < pooled.Length; i++)
        {
            (int channel, int window) = (i % channels, i / channels);
            int x = window % (width / 2);
            int y = window / (width / 2) % (height / 2);
            int n = window / (width / 2) / (height / 2);
            int from = ((n * height + 2 * y) * width + 2 * x) * channels + channel;
            pooled[i] = Bits(0.25f * (
                (values[from] + values[from + channels])
                + (values[from + width * channels] + values[from + (width + 1) * channels])));
        }

        return pooled;

        byte Bits(float value) => format == EightBits.Int8
            ? (byte)format.RoundActivation(value)
            : format.BitsOfWeight(format.RoundActivation(value));
    }

    /// <summary>Sums of integers are exact. Those of floats have float32's rounding, which now and then takes the
    /// neighbouring number.</summary>
    private static void AssertSame(EightBits format, byte[] expected, byte[] actual, string what)
    {
        if (format == EightBits.Int8)
        {
            Assert.True(expected.AsSpan().SequenceEqual(actual), what);
            return;
        }

        int neighbours = expected.Zip(actual, (a, b) => Math.Abs(a - b)).Count(distance => distance == 1);
        Assert.True(expected.Zip(actual, (a, b) => Math.Abs(a - b)).All(distance => distance <= 1), what);
        Assert.InRange(neighbours, 0, expected.Length / 1000);
    }
}
