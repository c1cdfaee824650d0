using System.Buffers.Binary;
using EfficientAD.Imaging;

namespace EfficientAD.Tests.Imaging;

public class BmpAndNetpbmTests
{
    [Fact]
    public void Bmp_RowsFromTheTop_AreNotTurned()
    {
        byte[] pixels = [1, 2, 3, 0, 4, 5, 6, 0];  // two rows of one pixel, blue first, padded to four bytes
        Assert.Equal([6, 5, 4, 3, 2, 1], Decode(Bmp(1, 2, 24, 0, pixels)).Pixels);
        Assert.Equal([3, 2, 1, 6, 5, 4], Decode(Bmp(1, -2, 24, 0, pixels)).Pixels);
    }

    [Fact]
    public void Bmp_Masks_TellTheOrderOfSamples()
    {
        Assert.Equal([3, 2, 1], Decode(Bmp(1, 1, 32, 0, [1, 2, 3, 4])).Pixels);
        byte[] Masked(params int[] masks) =>
            Bmp(1, 1, 32, 3, [.. masks.SelectMany(BitConverter.GetBytes), 1, 2, 3, 4], pixelsAt: 66);
        Assert.Equal([3, 2, 1], Decode(Masked(0xFF0000, 0xFF00, 0xFF)).Pixels);
        Assert.Equal([1, 2, 3], Decode(Masked(0xFF, 0xFF00, 0xFF0000)).Pixels);
        AssertRefused("colour masks", Masked(0x7C00, 0x3E0, 0x1F));
    }

    [Fact]
    public void Bmp_FourBitPalette_IsLookedUp()
    {
        byte[] palette = [.. Enumerable.Range(0, 64).Select(i => (byte)(i / 4 * (i % 4 + 1)))];  // i, 2 i, 3 i, 4 i
        byte[] file = Bmp(3, 1, 4, 0, [.. palette, 0xF1, 0x20, 0, 0], pixelsAt: 54 + 64);
        Assert.Equal([45, 30, 15, 3, 2, 1, 6, 4, 2], Decode(file).Pixels);
    }

    public static TheoryData<string, byte[]> WrongBmps => new()
    {
        { "2147483647 x 2147483648", Bmp(int.MaxValue, int.MinValue, 24, 0, []) },
        { "0 x 1", Bmp(0, 1, 24, 0, []) },
        { "compression 1", Bmp(1, 1, 8, 1, new byte[1028], pixelsAt: 54 + 1024) },
        { "16 bits", Bmp(1, 1, 16, 0, new byte[4]) },
        { "cut", Bmp(1000, 1000, 24, 0, new byte[100]) },
        { "inside the header", Bmp(1, 1, 24, 0, new byte[4], pixelsAt: 20) },
        { "has colour 200 but the palette has 2", Bmp(1, 1, 8, 0, [.. new byte[8], 200, 0, 0, 0], 62, colours: 2) },
        { "the palette has 300 colours", Bmp(1, 1, 8, 0, new byte[2000], pixelsAt: 62, colours: 300) },
    };

    [Theory, MemberData(nameof(WrongBmps))]
    public void Bmp_WrongFile_SaysWhatIsWrong(string expected, byte[] file) => AssertRefused(expected, file);

    [Fact]
    public void Netpbm_TextAndBinary_GiveTheSame()
    {
        byte[] expected = [0, 10, 255, 85, 255, 1];
        Assert.Equal(expected, Decode("P3\n# made by hand\n2 1 # size\n255\n0 10 255\n85 255 1\n"u8.ToArray()).Pixels);
        Assert.Equal(expected, Decode([.. "P6 2 1 255\n"u8, .. expected]).Pixels);
    }

    [Fact]
    public void Netpbm_OtherRanges_AreScaledToTheNearest()
    {
        Assert.Equal([0, 64, 128, 191, 255], Greys([.. "P5 5 1 4\n"u8, 0, 1, 2, 3, 4]));
        Assert.Equal([0, 64, 128, 191, 255], Greys("P2 5 1 4 0 1 2 3 4 "u8.ToArray()));
        Assert.Equal([1, 2, 255], Greys([.. "P5 3 1 65535\n"u8, 1, 1, 2, 2, 255, 255]));  // high byte first
    }

    public static TheoryData<string, byte[]> WrongNetpbms => new()
    {
        { "60000 x 60000", [.. "P6 60000 60000 255\n"u8, 1, 2, 3] },
        { "the pixels at byte 17 takes", [.. "P5 8000 8000 255\n"u8, 1, 2, 3] },
        { "the number 256", "P2 1 1 255 256 "u8.ToArray() },
        { "the number 9999999999 before", "P2 99999999999 1 255 1 "u8.ToArray() },
        { "the number 9", [.. "P5 1 1 8\n"u8, 9] },
        { "sample value is 0", [.. "P5 1 1 0\n"u8, 9] },
        { "no number at byte 3 but 2d", "P2 -1 1 255 1 "u8.ToArray() },
        { "no number", "P2 1 1 255 0x1 "u8.ToArray() },
        { "0 x 1", "P2 0 1 255 1 "u8.ToArray() },
        { "where a number and a blank are due", "P2 1 1 255 12"u8.ToArray() },
    };

    [Theory, MemberData(nameof(WrongNetpbms))]
    public void Netpbm_WrongFile_SaysWhatIsWrong(string expected, byte[] file) => AssertRefused(expected, file);

    private static byte[] Bmp(
        int width, int height, short bits, int compression, byte[] rest, int pixelsAt = 54, int colours = 0)
    {
        var header = new byte[54];
        (header[0], header[1]) = ((byte)'B', (byte)'M');
        void Write(int at, int value) => BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(at), value);
        Write(2, header.Length + rest.Length);
        Write(10, pixelsAt);
        Write(14, 40);
        Write(18, width);
        Write(22, height);
        BinaryPrimitives.WriteInt16LittleEndian(header.AsSpan(26), 1);
        BinaryPrimitives.WriteInt16LittleEndian(header.AsSpan(28), bits);
        Write(30, compression);
        Write(46, colours);
        return [.. header, .. rest];
    }

    private static RgbImage Decode(byte[] file) => ImageReader.Default.Decode(file, "test");

    private static byte[] Greys(byte[] file) => [.. Decode(file).Pixels.Where((_, i) => i % 3 == 0)];

    private static void AssertRefused(string expected, byte[] file)
    {
        var error = Assert.Throws<ImageFormatException>(() => Decode(file));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }
}
