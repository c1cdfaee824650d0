using EfficientAD.Imaging;

namespace EfficientAD.Tests.Imaging;

public class JpegGateTests
{
    // One code of one bit, "0": no change of the mean for DC, end of block for AC. A block is the bits 00, all grey.
    private static readonly byte[] Tables =
    [
        0xFF, 0xDB, 0, 67, 0, .. Enumerable.Repeat((byte)1, 64),
        0xFF, 0xC4, 0, 20, 0x00, 1, .. new byte[15], 0,
        0xFF, 0xC4, 0, 20, 0x10, 1, .. new byte[15], 0,
    ];

    private static readonly byte[] Scan = [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0];

    [Fact]
    public void Decode_HandmadeBlocks_IsGrey() =>
        Assert.All(Decode(Picture(24, 8, [], [0b00000011])).Pixels, value => Assert.Equal(128, value));

    [Fact]
    public void Decode_RestartMarkers_AreFollowed()
    {
        Assert.Equal(24, Decode(Picture(24, 8, Restart(1), [0x3F, 0xFF, 0xD0, 0x3F, 0xFF, 0xD1, 0x3F])).Width);
        AssertRefused("restart marker 1", Picture(24, 8, Restart(1), [0x3F, 0xFF, 0xD0, 0x3F, 0xFF, 0xD2, 0x3F]));
        AssertRefused("restart marker 0", Picture(24, 8, Restart(1), [0x03]));
        AssertRefused("restart marker 1", Picture(24, 8, Restart(1), [0x3F, 0xFF, 0xD0, 0x3F]));
        AssertRefused("does not belong there", Picture(24, 8, [], [0x03, 0xFF, 0xD0]));
    }

    [Fact]
    public void Decode_ScanWithTooFewBlocks_IsCut() =>
        AssertRefused("ends after 4 of 6 units", Picture(48, 8, [], [0x00]));

    [Fact]
    public void Decode_ScanWithTooManyBytes_IsRefused() =>
        AssertRefused("goes on after its last block", Picture(24, 8, [], [0x03, 0x00]));

    [Theory]
    [InlineData("rgb.jpg")]
    [InlineData("rgb-progressive.jpg")]
    [InlineData("grey-progressive.jpg")]
    public void Decode_CutAndEndMarkerAppended_IsRefused(string name)
    {
        byte[] whole = PillowReference.Bytes("files", name);
        int scan = whole.AsSpan().IndexOf([(byte)0xFF, (byte)0xDA]);
        for (int length = scan; length < whole.Length - 2; length++)
        {
            byte[] mended = [.. whole[..length], 0xFF, 0xD9];
            if (Record.Exception(() => Decode(mended)) is not ImageFormatException)
                Assert.Fail($"{name} mended after {length} of {whole.Length} bytes was not refused.");
        }
    }

    [Fact]
    public void Decode_BytesBehindTheEnd_AreIgnored()
    {
        byte[] whole = PillowReference.Bytes("files", "rgb.jpg");
        Assert.Equal(Decode(whole).Pixels, Decode([.. whole, 0, 0, 0xFF, 0xD8, 1, 2, 3]).Pixels);
    }

    [Fact]
    public void Decode_Metadata_NeverReachesTheDecoder()
    {
        byte[] whole = PillowReference.Bytes("files", "rgb.jpg");
        byte[] profile = [0xFF, 0xE2, 0, 22, .. "ICC_PROFILE\0"u8, 1, 1, 255, 255, 255, 255, 255, 255];
        byte[] orientation = [0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0];  // turned by 90 degrees
        byte[] exif = [0xFF, 0xE1, 0, 34, .. "Exif\0\0II*\0"u8, 8, 0, 0, 0, 1, 0, .. orientation, 0, 0, 0, 0];

        RgbImage image = Decode([.. whole[..2], .. profile, .. exif, .. whole[2..]]);

        Assert.Equal((19, 13), (image.Width, image.Height));
        Assert.Equal(Decode(whole).Pixels, image.Pixels);
    }

    [Fact]
    public void Decode_ManyScansOrTables_AreRefused()
    {
        byte[] table = Tables[^22..];
        byte[] tables = [.. Enumerable.Repeat(table, 1000).SelectMany(bytes => bytes)];
        AssertRefused("more than 800 Huffman tables", Picture(24, 8, tables, [0x03]));
        byte[] again = [.. Scan, 0x03];
        AssertRefused("order of scans", Picture(24, 8, [], [0x03, .. again]));
    }

    public static TheoryData<string, byte[]> WrongFiles => new()
    {
        { "ends without a picture", [0xFF, 0xD8, 0xFF, 0xD9] },
        { "ends without a picture", [0xFF, 0xD8, .. Frame(0xC0, 8, 8, 8, 1), 0xFF, 0xD9] },
        { "before the frame", [0xFF, 0xD8, .. Tables, .. Scan, 0x03, 0xFF, 0xD9] },
        { "12 bits", [0xFF, 0xD8, .. Frame(0xC1, 12, 8, 8, 1)] },
        { "4 components", [0xFF, 0xD8, .. Frame(0xC0, 8, 8, 8, 4)] },
        { "segment c3", [0xFF, 0xD8, .. Frame(0xC3, 8, 8, 8, 1)] },
        { "segment c9", [0xFF, 0xD8, .. Frame(0xC9, 8, 8, 8, 1)] },
        { "8 x 0", [0xFF, 0xD8, .. Frame(0xC0, 8, 8, 0, 1)] },
        { "65535 x 65535", [0xFF, 0xD8, .. Frame(0xC0, 8, 65535, 65535, 1)] },
        { "second frame", [0xFF, 0xD8, .. Frame(0xC0, 8, 8, 8, 1), .. Frame(0xC0, 8, 8, 8, 1)] },
        { "a Huffman table", [0xFF, 0xD8, .. Frame(0xC0, 8, 8, 8, 1), .. Scan, 0x03, 0xFF, 0xD9] },
        { "segment c4", [0xFF, 0xD8, 0xFF, 0xC4, 0, 22, 0, 3, .. new byte[15], 1, 2, 3] },  // three codes of one bit
        { "marker 00 at byte 2", [0xFF, 0xD8, 0xFF, 0xFF, 0x00, 0x00] },
        { "no marker at byte 6", [0xFF, 0xD8, 0xFF, 0xFE, 0, 2, 0x12, 0x34] },
    };

    [Theory, MemberData(nameof(WrongFiles))]
    public void Decode_WrongFile_SaysWhatIsWrong(string expected, byte[] file) => AssertRefused(expected, file);

    private static byte[] Picture(int width, int height, byte[] extra, byte[] data) =>
        [0xFF, 0xD8, .. Tables, .. extra, .. Frame(0xC0, 8, width, height, 1), .. Scan, .. data, 0xFF, 0xD9];

    private static byte[] Frame(byte marker, byte bits, int width, int height, byte components) =>
    [
        0xFF, marker, 0, (byte)(8 + 3 * components), bits,
        (byte)(height >> 8), (byte)height, (byte)(width >> 8), (byte)width, components,
        .. Enumerable.Range(1, components).SelectMany(id => new byte[] { (byte)id, 0x11, 0 }),
    ];

    private static byte[] Restart(byte interval) => [0xFF, 0xDD, 0, 4, 0, interval];

    private static RgbImage Decode(byte[] file) => ImageReader.Default.Decode(file, "test.jpg");

    private static void AssertRefused(string expected, byte[] file)
    {
        var error = Assert.Throws<ImageFormatException>(() => Decode(file));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }
}
