using EfficientAD.Imaging;

namespace EfficientAD.Tests.Imaging;

public class PreprocessingTests
{
    public static TheoryData<ColourAdjustmentKind, string> Adjustments
    {
        get
        {
            var data = new TheoryData<ColourAdjustmentKind, string> { { ColourAdjustmentKind.Grey, "1" } };
            foreach (string factor in (string[])["0.8", "0.93", "1", "1.07", "1.2", "0", "2.5", "-0.5"])
            {
                data.Add(ColourAdjustmentKind.Brightness, factor);
                data.Add(ColourAdjustmentKind.Contrast, factor);
                data.Add(ColourAdjustmentKind.Saturation, factor);
            }
            return data;
        }
    }

    [Theory, MemberData(nameof(Adjustments))]
    public void Adjustment_GivesPillowsBits(ColourAdjustmentKind kind, string factor)
    {
        var adjustment = new ColourAdjustment(kind, float.Parse(factor));
        var unchanged = new PillowResize(23, 31, 23, 31);
        var actual = new byte[3 * 23 * 31];

        var colour = new ImageView(NoiseImage.Bytes(3 * 23 * 31, seed: 7), 31, 23, 93, PixelFormat.Rgb24);
        unchanged.Run(colour, adjustment, actual);
        byte[] expected = PillowReference.Bytes("colour", $"3_{kind}_{factor}");
        Assert.Equal(kind == ColourAdjustmentKind.Grey ? InColour(expected) : expected, actual);

        var grey = new ImageView(NoiseImage.Bytes(23 * 31, seed: 7), 31, 23, 31, PixelFormat.Grey8);
        unchanged.Run(grey, adjustment, actual);
        Assert.Equal(InColour(PillowReference.Bytes("colour", $"1_{kind}_{factor}")), actual);
    }

    [Theory]
    [InlineData(ColourAdjustmentKind.None, 1, 32, 32, 32, 32)]
    [InlineData(ColourAdjustmentKind.Contrast, 1.125f, 32, 33, 25, 28)]  // margins of 7 and 5: 3.5 -> 4, 2.5 -> 2
    [InlineData(ColourAdjustmentKind.Grey, 1, 48, 40, 24, 21)]
    [InlineData(ColourAdjustmentKind.Saturation, 0.875f, 70, 31, 64, 31)]
    public void Run_GivesTheBitsOfTorchvision(
        ColourAdjustmentKind kind, float factor, int resizedHeight, int resizedWidth, int height, int width)
    {
        var image = new ImageView(NoiseImage.Bytes(3 * 61 * 45, seed: 11), 45, 61, 135, PixelFormat.Rgb24);
        var preprocessing = new Preprocessing();
        var actual = new float[3 * height * width];
        preprocessing.Run(image, new(kind, factor), resizedHeight, resizedWidth, height, width, actual);

        string tensor = $"{kind}_{resizedHeight}x{resizedWidth}_{height}x{width}";
        Assert.Equal(PillowReference.Floats("preprocess", tensor), actual);
    }

    [Theory]
    [InlineData(61, 45, 32, 32)]
    [InlineData(40, 32, 7, 9)]   // whole blocks of 16 columns, and groups of 16 rows with a rest
    [InlineData(23, 31, 23, 31)] // nothing to resize
    public void Run_GreyImage_GivesTheBitsOfThreeEqualColours(int sourceHeight, int sourceWidth, int height, int width)
    {
        int stride = sourceWidth + 5;
        byte[] pixels = NoiseImage.Bytes(stride * sourceHeight, seed: 12);
        byte[] rgb = new byte[3 * sourceWidth * sourceHeight];
        for (int i = 0; i < rgb.Length; i++) rgb[i] = pixels[i / 3 / sourceWidth * stride + i / 3 % sourceWidth];
        float[] expected = new float[3 * height * width], actual = new float[3 * height * width];
        var preprocessing = new Preprocessing();
        preprocessing.Run(
            new ImageView(rgb, sourceWidth, sourceHeight, 3 * sourceWidth, PixelFormat.Rgb24), ColourAdjustment.None,
            height, width, height, width, expected);
        preprocessing.Run(
            new ImageView(pixels, sourceWidth, sourceHeight, stride, PixelFormat.Grey8), ColourAdjustment.None,
            height, width, height, width, actual);
        Assert.Equal(expected, actual);
    }

    [Fact]
    public void Run_KnownSizes_AllocatesNothing()
    {
        byte[] pixels = NoiseImage.Bytes(3 * 61 * 45, seed: 11);
        var preprocessing = new Preprocessing();
        var output = new float[3 * 32 * 32];
        void Run() => preprocessing.Run(
            new ImageView(pixels, 45, 61, 135, PixelFormat.Rgb24), new(ColourAdjustmentKind.Contrast, 0.9f),
            40, 40, 32, 32, output);
        Run();

        long before = GC.GetAllocatedBytesForCurrentThread();
        Run();

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Run_ManySizes_EachIsRight()
    {
        var preprocessing = new Preprocessing();
        for (int round = 0; round < 2; round++)
            for (int size = 20; size < 40; size++)  // more sizes than are remembered
            {
                byte[] pixels = NoiseImage.Bytes(3 * size * size, (uint)size);
                var image = new ImageView(pixels, size, size, 3 * size, PixelFormat.Rgb24);
                float[] shared = new float[3 * 17 * 17], fresh = new float[3 * 17 * 17];
                preprocessing.Run(image, ColourAdjustment.None, 17, 17, 17, 17, shared);
                new Preprocessing().Run(image, ColourAdjustment.None, 17, 17, 17, 17, fresh);
                Assert.Equal(fresh, shared);
            }
    }

    [Fact]
    public void Run_WrongSizes_SayBoth()
    {
        var preprocessing = new Preprocessing();
        var crop = Assert.Throws<ArgumentException>(
            () => preprocessing.Run(Black(), ColourAdjustment.None, 16, 16, 17, 16, new float[3 * 17 * 16]));
        Assert.Contains("16 x 17 is not inside the resized image of 16 x 16", crop.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(
            () => preprocessing.Run(Black(), ColourAdjustment.None, 16, 16, 16, 16, new float[3 * 16 * 16 + 1]));
        Assert.Throws<ArgumentException>(() => preprocessing.Run(
            Black(), new(ColourAdjustmentKind.Contrast, float.NaN), 16, 16, 16, 16, new float[3 * 16 * 16]));
    }

    private static ImageView Black() => new(new byte[12], 2, 2, 6, PixelFormat.Rgb24);

    private static byte[] InColour(byte[] grey) => [.. grey.SelectMany(value => new[] { value, value, value })];
}
