using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using EfficientAD.Imaging;

namespace EfficientAD.Tests.Imaging;

public class PillowResizeTests
{
    public static TheoryData<int, int, int, int, int> Cases => new()
    {
        { 3, 900, 900, 256, 256 },
        { 3, 700, 1024, 256, 256 },
        { 3, 33, 33, 256, 256 },     // grows
        { 3, 37, 53, 29, 41 },       // nothing divides anything
        { 3, 29, 41, 37, 53 },
        { 3, 64, 64, 64, 64 },       // neither direction changes
        { 3, 64, 50, 64, 25 },       // one direction stays
        { 3, 50, 64, 25, 64 },
        { 3, 1, 1, 5, 7 },           // smallest
        { 3, 1, 97, 3, 10 },
        { 3, 97, 1, 10, 3 },
        { 3, 83, 61, 1, 1 },
        { 3, 2, 3, 3, 2 },
        { 3, 11, 3001, 9, 7 },       // 858 taps
        { 1, 900, 900, 256, 256 },
        { 1, 37, 53, 29, 41 },
        { 1, 1, 97, 3, 10 },
    };

    [Theory, MemberData(nameof(Cases))]
    public void Run_GivesPillowsBits(int channels, int sourceHeight, int sourceWidth, int height, int width)
    {
        byte[] source = Source(channels, sourceHeight, sourceWidth);
        PixelFormat format = channels == 3 ? PixelFormat.Rgb24 : PixelFormat.Grey8;
        var view = new ImageView(source, sourceWidth, sourceHeight, channels * sourceWidth, format);

        byte[] actual = PillowResize.Resize(view, height, width).Pixels;

        if (channels == 1)
        {
            Assert.All(actual.Chunk(3), pixel => Assert.True(pixel[0] == pixel[1] && pixel[1] == pixel[2]));
            actual = [.. actual.Where((_, i) => i % 3 == 0)];
        }
        byte[] expected = PillowReference.Bytes("resize", $"{channels}_{sourceHeight}x{sourceWidth}_{height}x{width}");
        Assert.Equal(expected, actual.Length > 40_000 ? SHA256.HashData(actual) : actual);
    }

    [Theory]
    [InlineData(PixelFormat.Bgr24, 3, 2, 1, 0)]
    [InlineData(PixelFormat.Rgba32, 4, 0, 1, 2)]
    [InlineData(PixelFormat.Bgra32, 4, 2, 1, 0)]
    public void Run_ReadsEveryFormatAndStride(PixelFormat format, int bytesPerPixel, int red, int green, int blue)
    {
        const int Height = 37, Width = 53, Stride = Width * 4 + 9;
        byte[] rgb = Source(3, Height, Width);
        byte[] pixels = NoiseImage.Bytes(Height * Stride, seed: 99);  // padding and alpha hold noise
        for (int y = 0; y < Height; y++)
            for (int x = 0; x < Width; x++)
            {
                int from = 3 * (y * Width + x), to = y * Stride + x * bytesPerPixel;
                (pixels[to + red], pixels[to + green], pixels[to + blue]) = (rgb[from], rgb[from + 1], rgb[from + 2]);
            }

        RgbImage actual = PillowResize.Resize(new ImageView(pixels, Width, Height, Stride, format), 29, 41);

        Assert.Equal(PillowReference.Bytes("resize", "3_37x53_29x41"), actual.Pixels);
    }

    [Fact]
    public void Run_WindowEqualsThatPartOfTheWhole()
    {
        var view = new ImageView(Source(3, 61, 70), 70, 61, 210, PixelFormat.Rgb24);
        RgbImage whole = PillowResize.Resize(view, 40, 45);
        var window = new byte[3 * 12 * 20];

        new PillowResize(61, 70, 40, 45, top: 7, left: 11, height: 12, width: 20).Run(view, window);

        ImageView part = whole.View.Crop(11, 7, 20, 12);
        for (int y = 0; y < 12; y++) Assert.Equal(part.Row(y), window.AsSpan(60 * y, 60));
    }

    [Fact]
    public void Run_AgainGivesTheSameBitsAndAllocatesNothing()
    {
        byte[] source = Source(3, 120, 90);
        var resize = new PillowResize(120, 90, 50, 60);
        byte[] first = new byte[3 * 50 * 60], second = new byte[3 * 50 * 60];
        resize.Run(new ImageView(source, 90, 120, 270, PixelFormat.Rgb24), first);
        resize.Run(new ImageView(new byte[source.Length], 90, 120, 270, PixelFormat.Rgb24), second);

        long before = GC.GetAllocatedBytesForCurrentThread();
        resize.Run(new ImageView(source, 90, 120, 270, PixelFormat.Rgb24), second);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(first, second);
    }

    [Fact]
    public void Run_OtherSizeThanBuiltFor_Throws()
    {
        var resize = new PillowResize(4, 4, 2, 2);
        var error = Assert.Throws<ArgumentException>(
            () => resize.Run(new ImageView(new byte[60], 5, 4, 15, PixelFormat.Rgb24), new byte[12]));
        Assert.Contains("5 x 4", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(
            () => resize.Run(new ImageView(new byte[48], 4, 4, 12, PixelFormat.Rgb24), new byte[11]));
    }

    [Fact]
    public void SumOfProductsAnywhere_IsTheSum()
    {
        Vector256<short> samples = Vector256.Create((short)255, 254, 0, 1, 255, 0, 0, 255, 17, 3, 128, 127, 1, 1, 2, 2);
        Vector256<short> weights = Vector256.Create(
            (short)2048, 2047, 5, 7, 2047, 9, 9, 2048, 11, 13, 1024, 1023, 0, 1, 1, 0);

        Vector256<int> sums = RowGroup.SumOfProductsAnywhere(samples, weights);

        for (int i = 0; i < Vector256<int>.Count; i++)
            Assert.Equal(samples[2 * i] * weights[2 * i] + samples[2 * i + 1] * weights[2 * i + 1], sums[i]);
    }

    private static byte[] Source(int channels, int height, int width) =>
        NoiseImage.Bytes(channels * height * width, (uint)(height * 31 + width));
}
