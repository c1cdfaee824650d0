using EfficientAD.Imaging;
using static EfficientAD.Tests.Imaging.PngBuilder;

namespace EfficientAD.Tests.Imaging;

public class PngGateTests
{
    private static readonly byte[] ThreeGreys = [0, 10, 20, 30];

    [Fact]
    public void Decode_SixteenBits_RoundsEveryValueToTheNearest()
    {
        byte[] rows = [.. Enumerable.Range(0, 256).SelectMany(y =>
            Enumerable.Range(0, 256).SelectMany(x => new[] { (byte)y, (byte)x }).Prepend((byte)0))];

        byte[] pixels = Decode(Build(256, 256, 16, 0, rows)).Pixels;

        for (int value = 0; value < 65536; value++)
            Assert.Equal((int)Math.Round(value / 257.0), pixels[3 * value]);
    }

    [Fact]
    public void Decode_SixteenBitColourAndAlpha_DropsAlpha()
    {
        Assert.Equal([1, 2, 255], Decode(Build(1, 1, 16, 2, [0, 1, 1, 2, 2, 255, 255])).Pixels);
        Assert.Equal([1, 2, 255], Decode(Build(1, 1, 16, 6, [0, 1, 1, 2, 2, 255, 255, 0, 0])).Pixels);
        Assert.Equal([7, 7, 7], Decode(Build(1, 1, 16, 4, [0, 7, 7, 0, 0])).Pixels);
    }

    [Theory]
    [InlineData(1, new byte[] { 0, 0b10100000 }, new byte[] { 255, 0, 255 })]
    [InlineData(2, new byte[] { 0, 0b11011000 }, new byte[] { 255, 85, 170 })]
    [InlineData(4, new byte[] { 0, 0xF1, 0x80 }, new byte[] { 255, 17, 136 })]
    public void Decode_FewBits_SpreadsThem(int bits, byte[] rows, byte[] expected) =>
        Assert.Equal(expected, Decode(Build(3, 1, bits, 0, rows)).Pixels.Where((_, i) => i % 3 == 0));

    [Fact]
    public void Decode_Interlaced_EqualsPlain()
    {
        // Adam7 of an 8 x 5 picture of value 10 * y + x.
        (int X, int Y, int StepX, int StepY)[] passes =
            [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];
        var rows = new List<byte>();
        foreach (var (startX, startY, stepX, stepY) in passes)
            for (int y = startY; y < 5; y += stepY)
            {
                rows.Add(0);
                for (int x = startX; x < 8; x += stepX) rows.Add((byte)(10 * y + x));
            }

        byte[] pixels = Decode(Build(8, 5, 8, 0, [.. rows], interlaced: true)).Pixels;

        for (int i = 0; i < 40; i++) Assert.Equal(10 * (i / 8) + i % 8, pixels[3 * i]);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(4, 100)]
    [InlineData(100, 4)]
    public void Decode_TinyInterlaced_IsRefused(int width, int height) =>
        AssertRefused(Build(width, height, 8, 0, new byte[10_000], interlaced: true), "side below 5");

    [Fact]
    public void Decode_PaletteIndexBehindThePalette_IsBlack() =>
        Assert.Equal([9, 8, 7, 0, 0, 0], Decode(Build(2, 1, 8, 3, [0, 0, 200], palette: [9, 8, 7])).Pixels);

    [Fact]
    public void Decode_HugeClaim_IsRefusedBeforeMemoryIsTaken()
    {
        byte[] bomb = Build(60_000, 60_000, 8, 2, new byte[100]);
        long before = GC.GetAllocatedBytesForCurrentThread();

        AssertRefused(bomb, "60000 x 60000 = 3600000000 pixels, the limit is 64000000");

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void Decode_HugeClaimWithinTheLimit_EndsWithTheData()
    {
        byte[] hollow = Build(8000, 8000, 8, 2, new byte[1 << 20]);
        AssertRefused(hollow, "the pixel data ends in row 43 of 8000");
    }

    [Fact]
    public void Decode_ZlibBomb_StopsAfterTheLastRow()
    {
        byte[] bomb = Build(3, 1, 8, 0, new byte[100 << 20]);
        Assert.InRange(bomb.Length, 1, 200_000);
        long before = GC.GetAllocatedBytesForCurrentThread();

        AssertRefused(bomb, "goes on after the last of 1 rows");

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
    }

    [Fact]
    public void Decode_CompressedTextAndProfileBombs_AreNeverUnpacked()
    {
        byte[] zeros = Deflate(new byte[64 << 20]);
        byte[] file =
        [
            .. Signature, .. Header(3, 1, 8, 0),
            .. Chunk("iCCP", [(byte)'p', 0, 0, .. zeros]), .. Chunk("zTXt", [(byte)'t', 0, 0, .. zeros]),
            .. Chunk("IDAT", Deflate(ThreeGreys)), .. Chunk("IEND", []),
        ];
        long before = GC.GetAllocatedBytesForCurrentThread();

        Assert.Equal(10, Decode(file).Pixels[0]);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 << 20);
    }

    [Fact]
    public void Decode_SeveralDataChunksAndTrailingBytes_IsRead()
    {
        byte[] data = Deflate(ThreeGreys);
        byte[] file =
        [
            .. Signature, .. Header(3, 1, 8, 0), .. Chunk("IDAT", data[..5]),
            .. Chunk("IDAT", []), .. Chunk("IDAT", data[5..]), .. Chunk("IEND", []), 0, 0, 0,
        ];
        Assert.Equal([10, 10, 10, 20, 20, 20, 30, 30, 30], Decode(file).Pixels);
    }

    public static TheoryData<string, byte[]> WrongFiles
    {
        get
        {
            byte[] data = Chunk("IDAT", Deflate(ThreeGreys)), end = Chunk("IEND", []);
            byte[] header = Header(3, 1, 8, 0);
            return new()
            {
                { "first chunk is IDAT", [.. Signature, .. data, .. end] },
                { "second or misplaced IHDR", [.. Signature, .. header, .. header, .. data, .. end] },
                { "misplaced IDAT", [.. Signature, .. header, .. data, .. Chunk("tEXt", []), .. data, .. end] },
                { "misplaced PLTE", [.. Signature, .. header, .. data, .. Chunk("PLTE", [1, 2, 3]), .. end] },
                { "critical chunk ABcD", [.. Signature, .. header, .. Chunk("ABcD", []), .. data, .. end] },
                { "ends in row 0 of 1", [.. Signature, .. header, .. end] },
                { "cut", [.. Signature, .. header, .. data] },
                { "palette holds 0", Build(3, 1, 8, 3, ThreeGreys) },
                { "palette holds 9", Build(3, 1, 1, 3, [0, 0], palette: new byte[9]) },
                { "colour type 2, bit depth 4", Build(3, 1, 4, 2, ThreeGreys) },
                { "0 x 1", Build(0, 1, 8, 0, ThreeGreys) },
                { "-1", [.. Signature, .. Header(-1, -1, 8, 0)] },
                { "ends in row 1 of 2: 3 of 4", Build(3, 2, 8, 0, [.. ThreeGreys, 0, 1, 2]) },
                { "goes on after the last", Build(3, 1, 8, 0, [.. ThreeGreys, 0]) },
                { "filter 5", Build(3, 1, 8, 0, [5, 1, 2, 3]) },
                { "IHDR holds 12", [.. Signature, .. Chunk("IHDR", new byte[12])] },
            };
        }
    }

    [Theory, MemberData(nameof(WrongFiles))]
    public void Decode_WrongFile_SaysWhatIsWrong(string expected, byte[] file) =>
        AssertRefused(file, expected == "-1" ? "4294967295 x 4294967295" : expected);

    [Fact]
    public void Decode_ChecksumOfTheZlibStreamWrong_IsRefused()
    {
        byte[] data = Deflate(ThreeGreys);
        data[^1] ^= 1;
        AssertRefused(
            [.. Signature, .. Header(3, 1, 8, 0), .. Chunk("IDAT", data), .. Chunk("IEND", [])],
            "compressed pixel data is damaged");
    }

    private static RgbImage Decode(byte[] file) => ImageReader.Default.Decode(file, "test.png");

    private static void AssertRefused(byte[] file, string expected)
    {
        var error = Assert.Throws<ImageFormatException>(() => Decode(file));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }
}
