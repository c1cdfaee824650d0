using EfficientAD.Backends.Cuda.Fused;
using EfficientAD.Networks.Folding;
using EfficientAD.Tensors;
using EfficientAD.Tests.References;

namespace EfficientAD.Tests.Backends.Cuda.Fused;

/// <summary>The fused kernels in every tile on the simulator, watched by all checks in three schedules, against loops
/// in double over the same rounded factors: what differs is the sums' order and the outputs' rounding, and every wrong
/// index.
/// </summary>
public class FusedConvolutionTests
{
    // Half precision rounds an output by 2^-11 of it; sums of some thousand products in float add less.
    private const double HalfRounding = 6e-4, SumRounding = 2e-5;
    private const string Because = "outputs are rounded to half precision";

    private static readonly int[] Seeds = [0, 3, 4];

    public static TheoryData<HiddenCase> HiddenCases =>
    [
        // One column of windows, an odd row left out.
        new HiddenCase(1, 33, 6, 5, 4, 128, 128, Pool: true, Inputs: 32),
        // Windows of both samples in one tile, none divides it.
        new HiddenCase(2, 9, 13, 12, 4, 128, 128, Pool: true, Inputs: 32),
        new HiddenCase(1, 10, 19, 21, 3, 128, 128, Pool: false, Inputs: 32),
        new HiddenCase(3, 5, 6, 7, 1, 128, 128, Pool: false, Inputs: 64),   // as M's 1 x 1
        // groups of different size, as M's last but one
        new HiddenCase(1, 7, 8, 7, 4, 128, 256, Pool: false, Inputs: 64),
    ];

    [Theory, MemberData(nameof(HiddenCases))]
    public void Hidden_MatchesPlainLoops(HiddenCase c)
    {
        PixelMap input = c.Input;
        (LayerWeights teacher, LayerWeights student) = c.Layers;
        double[] expected = c.Expected();
        float[]? first = null;
        foreach (int seed in Seeds)
        {
            using var device = new FusedDevice(seed);
            using var layer = new HiddenConvolution(device.Stream, device.Kernels, teacher, student, c.Pool);
            nint map = device.Upload(input.Values);
            foreach (FusedTile tile in FusedTile.All)
            {
                nint output = device.Allocate(expected.Length * 2L);
                layer.Launch(device.Stream, map, c.N, c.H, c.W, output, tile);
                float[] actual = device.DownloadHalves(output, expected.Length);
                TensorAssert.Close(expected, actual, SumRounding, HalfRounding, $"{tile.Name}: {Because}");
                TensorAssert.SameBits(first ??= actual, actual, tile.Name);
            }
        }
    }

    /// <summary>One NaN reaches the windows that see it, and nothing else.</summary>
    [Fact]
    public void Hidden_KeepsNan()
    {
        HiddenCase c = new(1, 10, 9, 9, 4, 128, 128, Pool: true, Inputs: 32);
        PixelMap input = c.Input;
        input.Values[0] = Half.NaN; // of the teacher's channels of the first pixel
        using var device = new FusedDevice(seed: 3);
        (LayerWeights teacher, LayerWeights student) = c.Layers;
        using var layer = new HiddenConvolution(device.Stream, device.Kernels, teacher, student, c.Pool);
        const int channels = 256, count = 3 * 3 * channels;
        nint output = device.Allocate(2L * count);
        layer.Launch(device.Stream, device.Upload(input.Values), c.N, c.H, c.W, output);
        float[] actual = device.DownloadHalves(output, count);
        for (int i = 0; i < count; i++) Assert.Equal(i < c.Teacher, float.IsNaN(actual[i]));
    }

    public static TheoryData<LastCase> LastCases =>
    [
        new LastCase(2, 9, 8, 4, Teacher: 32, Student: 32, Columns: false),
        new LastCase(1, 12, 13, 4, Teacher: 32, Student: 32, Columns: true),
        new LastCase(1, 11, 7, 1, Teacher: 32, Student: 64, Columns: false), // as M's
    ];

    [Theory, MemberData(nameof(LastCases))]
    public void Last_MatchesPlainLoops(LastCase c)
    {
        (double[] local, double[] global) = c.Expected();
        foreach (int seed in Seeds)
        {
            using var device = new FusedDevice(seed);
            using var layer = new LastConvolution(
                device.Stream, device.Kernels, c.Local, c.StudentLayer, LastCase.DecoderLayer);
            c.CheckInEveryTile(device, layer, device.Upload(c.Hidden.Values), local, global);
        }
    }

    [Theory]
    [InlineData(1, 5, 6, 256)]    // a single window
    [InlineData(2, 13, 12, 256)]  // odd extents: pixels behind the pitch and windows that are none
    [InlineData(1, 14, 75, 256)]  // blocks beside and below each other
    [InlineData(1, 7, 6, 512)]    // as M's
    public void First_MatchesPlainLoops(int n, int h, int w, int outputs)
    {
        // Bytes over 256, exact in half precision, and 1.
        int pitch = (w + 1) / 2 * 2;
        Half[] image = Array.ConvertAll(
            Drawn.Symmetric(7, 0, 128, n * h * pitch * 4), value => (Half)(MathF.Floor(value + 128) / 256));
        for (int i = 3; i < image.Length; i += 4) image[i] = Half.One;
        var pixels = new PixelMap(new Shape(n, 4, h, pitch), image);
        LayerWeights layer = PixelMap.Layer(outputs, 3, 4, 8).ForBytes(bordered: false);
        double[] sums = PixelMap.Rectify(pixels.Convolve(layer));
        double[] expected = PixelMap.Pool(Cropped(sums), n, h - 3, w - 3, outputs);
        float[]? first = null;
        foreach (int seed in Seeds)
        {
            using var device = new FusedDevice(seed);
            using var convolution = new FirstConvolution(device.Stream, device.Kernels, layer);
            nint output = device.Allocate(expected.Length * 2L);
            convolution.Launch(device.Stream, device.Upload(image), n, h, w, output);
            float[] actual = device.DownloadHalves(output, expected.Length);
            // The bias makes up for a constant part of the weights' rounding, which the loops do not: 48 weights of up
            // to 5 half a unit off each.
            TensorAssert.Close(expected, actual, 5e-3, HalfRounding, Because);
            TensorAssert.SameBits(first ??= actual, actual, "another schedule");
        }

        double[] Cropped(double[] values)
        {
            int from = (pitch - 3) * outputs, to = (w - 3) * outputs;
            return [.. Enumerable.Range(0, n * (h - 3)).SelectMany(row => values[(row * from)..(row * from + to)])];
        }
    }
}

/// <summary>A hidden layer of both networks.</summary>
public sealed record HiddenCase(
    int N, int Seed, int H, int W, int Kernel, int Teacher, int Student, bool Pool, int Inputs)
{
    internal PixelMap Input => PixelMap.Random(new Shape(N, 2 * Inputs, H, W), (ulong)Seed);

    internal (LayerWeights Teacher, LayerWeights Student) Layers => (
        PixelMap.Layer(Teacher, Inputs, Kernel, (ulong)Seed + 1),
        PixelMap.Layer(Student, Inputs, Kernel, (ulong)Seed + 2));

    internal double[] Expected()
    {
        double[] ofTeacher = Input.Convolve(Layers.Teacher), ofStudent = Input.Convolve(Layers.Student, Inputs);
        double[] both = PixelMap.Rectify(PixelMap.Join(ofTeacher, Teacher, ofStudent, Student));
        return Pool ? PixelMap.Pool(both, N, H - Kernel + 1, W - Kernel + 1, Teacher + Student) : both;
    }
}

/// <summary>Last layers with few hidden channels.</summary>
/// <param name="Columns">Whether the decoder's taps are laid out for each pixel.</param>
public sealed record LastCase(int N, int H, int W, int Kernel, int Teacher, int Student, bool Columns)
{
    private const int Outputs = 384, DecoderChannels = 64;

    internal PixelMap Hidden => PixelMap.Random(new Shape(N, Teacher + Student, H, W), 11);

    internal LayerWeights Local => PixelMap.Layer(Outputs, Teacher + Student, Kernel, 12);

    internal LayerWeights StudentLayer => PixelMap.Layer(Outputs, Student, Kernel, 13);

    internal static LayerWeights DecoderLayer => PixelMap.Layer(Outputs, DecoderChannels, 3, 14);

    internal PixelMap DecoderMap => PixelMap.Random(new Shape(N, DecoderChannels, H - Kernel + 3, W - Kernel + 3), 15);

    internal (double[] Local, double[] Global) Expected()
    {
        double[] student = Hidden.Convolve(StudentLayer, Teacher), decoder = DecoderMap.Convolve(DecoderLayer);
        return (Squares(Hidden.Convolve(Local)), Squares([.. decoder.Zip(student, (a, b) => a - b)]));
    }

    internal static double[] Squares(double[] values) =>
        [.. values.Chunk(Outputs).Select(pixel => pixel.Sum(value => value * value))];

    internal void CheckInEveryTile(
        FusedDevice device, LastConvolution layer, nint hidden, double[] local, double[] global)
    {
        DecoderMap decoder = Upload(device);
        int count = LastConvolution.Parts * local.Length;
        foreach (FusedTile tile in FusedTile.All)
        {
            nint localParts = device.Allocate(count * 4L), globalParts = device.Allocate(count * 4L);
            layer.Launch(device.Stream, hidden, decoder, N, H, W, localParts, globalParts, tile);
            Check(local, device.DownloadFloats(localParts, count), $"local, {tile.Name}");
            Check(global, device.DownloadFloats(globalParts, count), $"global, {tile.Name}");
        }
    }

    private static void Check(double[] expected, float[] parts, string what)
    {
        var map = new float[expected.Length];
        for (int i = 0; i < parts.Length; i++) map[i % map.Length] += parts[i];
        TensorAssert.Close(expected, map, 0, 1e-5, $"{what}: sums in float");
    }

    private DecoderMap Upload(FusedDevice device)
    {
        (int h, int w) = (DecoderMap.Shape.H, DecoderMap.Shape.W);
        if (!Columns)
        {
            int row = w * DecoderChannels;
            return new DecoderMap(
                device.Upload(DecoderMap.Values), h * row, row, DecoderChannels, row, DecoderChannels);
        }

        const int pixel = 9 * DecoderChannels;
        PixelMap decoder = DecoderMap;
        (int oh, int ow) = (h - 2, w - 2);
        var values = new Half[N * oh * ow * pixel];
        for (int i = 0; i < values.Length; i++)
        {
            (int c, int tap, int place) = (i % DecoderChannels, i % pixel / DecoderChannels, i / pixel);
            values[i] = decoder[place / (oh * ow), place / ow % oh + tap / 3, place % ow + tap % 3, c];
        }

        return new DecoderMap(
            device.Upload(values), oh * ow * pixel, ow * pixel, pixel, 3 * DecoderChannels, DecoderChannels);
    }
}
