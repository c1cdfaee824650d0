using EfficientAD.Imaging;

namespace EfficientAD.Tests.Imaging;

public class ImageReaderTests
{
    private const int Width = 19, Height = 13;

    public static TheoryData<string> ExactFiles =>
    [
        "rgb.png", "grey.png", "bilevel.png", "palette.png", "palette16.png", "rgba.png", "greyalpha.png", "grey16.png",
        "rgb-raw.tif", "grey-raw.tif", "bilevel-raw.tif", "palette-raw.tif", "palette16-raw.tif", "rgba-raw.tif",
        "greyalpha-raw.tif", "grey16-raw.tif", "rgb-lzw.tif", "rgb-deflate.tif", "rgb-packbits.tif", "grey-lzw.tif",
        "grey-deflate.tif", "grey-packbits.tif", "grey16-lzw.tif", "grey16-deflate.tif", "grey16-packbits.tif",
        "palette-lzw.tif", "palette-deflate.tif", "palette-packbits.tif", "rgba-lzw.tif", "rgba-deflate.tif",
        "rgba-packbits.tif",
        "rgb.bmp", "grey.bmp", "bilevel.bmp", "palette.bmp", "palette16.bmp", "rgba.bmp", "rgb.pnm", "grey.pnm",
    ];

    public static TheoryData<string, int> JpegFiles => new()
    {
        { "rgb.jpg", 2 },              // no subsampling: the inverse transform and the colours round differently
        { "rgb-progressive.jpg", 2 },
        { "grey.jpg", 1 },
        { "grey-progressive.jpg", 1 },
        { "gentle-subsampled.jpg", 10 },  // chroma is interpolated differently
    };

    [Theory, MemberData(nameof(ExactFiles))]
    public void Decode_LosslessFile_GivesPillowsPixels(string name)
    {
        RgbImage image = ImageReader.Default.Decode(PillowReference.Bytes("files", name), name);

        Assert.Equal((Width, Height), (image.Width, image.Height));
        Assert.Equal(PillowReference.Bytes("files", $"{name}.pixels"), image.Pixels);
    }

    [Theory, MemberData(nameof(JpegFiles))]
    public void Decode_Jpeg_IsNearPillowsPixels(string name, int tolerance)
    {
        RgbImage image = ImageReader.Default.Decode(PillowReference.Bytes("files", name), name);

        byte[] expected = PillowReference.Bytes("files", $"{name}.pixels");
        Assert.Equal(expected.Length, image.Pixels.Length);
        int worst = expected.Zip(image.Pixels, (a, b) => Math.Abs(a - b)).Max();
        Assert.True(worst <= tolerance, $"The worst pixel is off by {worst}, allowed {tolerance}.");
    }

    [Fact]
    public void Read_FromPathAndStream_GivesTheSame()
    {
        using var folder = new TemporaryFolder();
        byte[] bytes = PillowReference.Bytes("files", "rgb.png");
        string path = folder.Write("picture.dat", bytes);  // the name does not decide

        byte[] expected = ImageReader.Default.Decode(bytes, "rgb.png").Pixels;
        Assert.Equal(expected, ImageReader.Default.Read(path).Pixels);
        Assert.Equal(expected, ImageReader.Default.Read(new MemoryStream(bytes), "stream").Pixels);
    }

    [Fact]
    public void Read_MissingFile_ThrowsIOException() =>
        Assert.Throws<FileNotFoundException>(
            () => ImageReader.Default.Read(Path.Combine(Path.GetTempPath(), "no such picture.png")));

    [Theory]
    [InlineData(new byte[0], "empty")]
    [InlineData(new byte[] { 0x47, 0x49, 0x46, 0x38 }, "47494638")]  // a GIF
    [InlineData(
        new byte[] { 0x49, 0x49, 43, 0, 8, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 127 },
        "BigTIFF")]
    public void Decode_UnknownKind_SaysSo(byte[] bytes, string expected)
    {
        var error = Assert.Throws<ImageFormatException>(() => ImageReader.Default.Decode(bytes, "part 7.png"));
        Assert.StartsWith("part 7.png: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("rgb.png")]
    [InlineData("rgb.jpg")]
    [InlineData("rgb-raw.tif")]
    [InlineData("rgb-lzw.tif")]
    [InlineData("rgb.bmp")]
    [InlineData("rgb.pnm")]
    public void Decode_MorePixelsThanTheLimit_IsRefused(string name)
    {
        byte[] bytes = PillowReference.Bytes("files", name);
        new ImageReader(new ImageLimits { MaxPixels = Width * Height }).Decode(bytes, name);

        var error = Assert.Throws<ImageFormatException>(
            () => new ImageReader(new ImageLimits { MaxPixels = Width * Height - 1 }).Decode(bytes, name));
        Assert.Contains("19 x 13 = 247 pixels, the limit is 246", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_LargerFileThanTheLimit_IsRefused()
    {
        byte[] bytes = PillowReference.Bytes("files", "rgb.png");
        new ImageReader(new ImageLimits { MaxFileBytes = bytes.Length }).Read(new MemoryStream(bytes), "exact");

        var small = new ImageReader(new ImageLimits { MaxFileBytes = bytes.Length - 1 });
        Assert.Throws<ImageFormatException>(() => small.Read(new MemoryStream(bytes), "large"));
        Assert.Throws<ImageFormatException>(() => small.Read(new Pipe(bytes), "large pipe"));
    }

    [Fact]
    public void Read_StreamOfUnknownLength_IsReadToItsEnd()
    {
        byte[] pixels = NoiseImage.Bytes(3 * 300 * 200, seed: 5);
        byte[] bytes = [.. "P6 300 200 255\n"u8, .. pixels];  // longer than the first buffer

        Assert.Equal(pixels, ImageReader.Default.Read(new Pipe(bytes), "pipe").Pixels);
        var exact = new ImageReader(new ImageLimits { MaxFileBytes = bytes.Length });
        Assert.Equal(pixels, exact.Read(new Pipe(bytes), "pipe").Pixels);
    }

    [Fact]
    public void Decode_FromManyThreads_GivesTheSame()
    {
        string[] names = ["rgb.png", "rgb-lzw.tif", "rgb.jpg", "grey16.png"];
        byte[][] files = [.. names.Select(name => PillowReference.Bytes("files", name))];
        byte[] Pixels(int i) => ImageReader.Default.Decode(files[i % files.Length], names[i % files.Length]).Pixels;
        byte[][] expected = [Pixels(0), Pixels(1), Pixels(2), Pixels(3)];

        Parallel.For(0, 200, i => Assert.Equal(expected[i % files.Length], Pixels(i)));
    }

    [Fact]
    public void ReadMask_KeepsGreyValuesAndNeverLosesADefect()
    {
        using var folder = new TemporaryFolder();
        string grey = folder.Write("grey.png", PngBuilder.Build(3, 1, 8, 0, [0, 0, 1, 200]));
        string deep = folder.Write("deep.png", PngBuilder.Build(3, 1, 16, 0, [0, 0, 0, 0, 1, 255, 255]));
        string colour = folder.Write("colour.png", PngBuilder.Build(3, 1, 8, 2, [0, 0, 0, 0, 0, 7, 3, 255, 0, 0]));
        string text = folder.Write("text.pgm", "P2 3 1 60000 0 1 60000\n"u8.ToArray());

        Assert.Equal([0, 1, 200], ImageReader.Default.ReadMask(grey).Pixels);
        Assert.Equal([0, 1, 255], ImageReader.Default.ReadMask(deep).Pixels);
        Assert.Equal([0, 7, 255], ImageReader.Default.ReadMask(colour).Pixels);
        Assert.Equal([0, 1, 255], ImageReader.Default.ReadMask(text).Pixels);
        // A picture rounds.
        Assert.Equal([0, 0, 255], ImageReader.Default.Read(text).Pixels.Where((_, i) => i % 3 == 0));
    }

    /// <summary>Gives a few bytes at a time and does not know its length.</summary>
    private sealed class Pipe(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;

        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, 999)]);
    }
}
