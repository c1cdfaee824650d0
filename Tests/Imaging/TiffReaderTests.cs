using EfficientAD.Imaging;

namespace EfficientAD.Tests.Imaging;

public class TiffReaderTests
{
    [Theory]
    [InlineData(false, new byte[] { 0, 1, 1, 1, 255, 255 })]
    [InlineData(true, new byte[] { 1, 0, 1, 1, 255, 255 })]
    public void Read_SixteenBits_KnowsBothByteOrders(bool bigEndian, byte[] samples) =>
        Assert.Equal([1, 1, 255], Greys(TiffBuilder.Grey(3, 1, 16, bigEndian).Build([samples])));

    [Theory]
    [InlineData(1, 1, new byte[] { 0b10100000 }, new byte[] { 255, 0, 255 })]
    [InlineData(0, 1, new byte[] { 0b10100000 }, new byte[] { 0, 255, 0 })]
    [InlineData(0, 8, new byte[] { 0, 100, 255 }, new byte[] { 255, 155, 0 })]
    [InlineData(1, 2, new byte[] { 0b11011000 }, new byte[] { 255, 85, 170 })]
    [InlineData(1, 4, new byte[] { 0xF1, 0x80 }, new byte[] { 255, 17, 136 })]
    public void Read_FewBits_KnowsBothPolarities(int photometric, int bits, byte[] row, byte[] expected) =>
        Assert.Equal(
            expected, Greys(TiffBuilder.Grey(3, 1, bits).With(TiffField.Photometric, photometric).Build([row])));

    [Fact]
    public void Read_Tiles_PlacesThemAndDropsTheirOverhang()
    {
        byte[] Tile(int i) => [.. Enumerable.Range(0, 256).Select(j => (byte)(60 * i + j / 16 + j % 16))];
        byte[] file = Tiled(20, 18, 16, 16).Build([Tile(0), Tile(1), Tile(2), Tile(3)]);

        byte[] greys = Greys(file);

        for (int y = 0; y < 18; y++)
            for (int x = 0; x < 20; x++)
                Assert.Equal(60 * (y / 16 * 2 + x / 16) + y % 16 + x % 16, greys[20 * y + x]);
    }

    [Fact]
    public void Read_SeparatePlanes_JoinsThem()
    {
        byte[] file = TiffBuilder.Grey(2, 2).With(TiffField.Photometric, 2).With(TiffField.SamplesPerPixel, 4)
            .With(TiffField.BitsPerSample, 8, 8, 8, 8).With(TiffField.PlanarConfiguration, 2)
            .With(TiffField.RowsPerStrip, 1)
            .Build([[1, 2], [3, 4], [11, 12], [13, 14], [21, 22], [23, 24], [99, 99], [99, 99]]);
        Assert.Equal([1, 11, 21, 2, 12, 22, 3, 13, 23, 4, 14, 24], Decode(file).Pixels);
    }

    [Fact]
    public void Read_SeveralStrips_TheLastShorter() =>
        Assert.Equal([1, 2, 3], Greys(TiffBuilder.Grey(1, 3).With(TiffField.RowsPerStrip, 2).Build([[1, 2], [3]])));

    public static TheoryData<string, byte[]> WrongFiles => new()
    {
        { "more than one page", TiffBuilder.Grey(1, 1).Build([[1]], next: 8) },
        { "field 256 appears twice", TiffBuilder.Grey(1, 1).WithAnother(256, 1).Build([[1]]) },
        { "field Width is missing", new TiffBuilder().With(TiffField.Height, 1).Build([[1]]) },
        { "60000 x 60000", TiffBuilder.Grey(60_000, 60_000).Build([[1]]) },
        { "a side of 4294967295", TiffBuilder.Grey(1, 1).With(TiffField.Width, uint.MaxValue).Build([[1]]) },
        { "block 0 of 1 has 5 bytes, not 6", TiffBuilder.Grey(3, 2).Build([[1, 2, 3, 4, 5]]) },
        { "block 0 of 1 at byte 9999", TiffBuilder.Grey(1, 1).With(TiffField.StripOffsets, 9999).Build([[1]]) },
        { "field StripOffsets is missing", TiffBuilder.Grey(1, 2).With(TiffField.RowsPerStrip, 1).Build([[1]]) },
        { "tiles are 17 x 16", Tiled(1, 1, 17, 16).Build([new byte[512]]) },
        { "tiles are 0 x 16", Tiled(1, 1, 0, 16).Build([new byte[512]]) },
        { "60000 x 60000", Tiled(1, 1, 60_000, 60_000).Build([[1]]) },
        { "strips are 1 x 0", TiffBuilder.Grey(1, 1).With(TiffField.RowsPerStrip, 0).Build([[1]]) },
        { "compression 7", TiffBuilder.Grey(1, 1).With(TiffField.Compression, 7).Build([[1]]) },
        { "signed or floating point", TiffBuilder.Grey(1, 1).With(TiffField.SampleFormat, 3).Build([[1]]) },
        { "photometric interpretation 6", TiffBuilder.Grey(1, 1).With(TiffField.Photometric, 6).Build([[1]]) },
        { "1 samples of 32 bits", TiffBuilder.Grey(1, 1, 32).Build([[1, 2, 3, 4]]) },
        { "SamplesPerPixel is 6", TiffBuilder.Grey(1, 1).With(TiffField.SamplesPerPixel, 6).Build([new byte[6]]) },
        { "different depths", TiffBuilder.Grey(1, 1).With(TiffField.Photometric, 2).With(TiffField.SamplesPerPixel, 3)
            .With(TiffField.BitsPerSample, 8, 8, 16).Build([new byte[4]]) },
        { "field ColourMap is missing", TiffBuilder.Grey(1, 1).With(TiffField.Photometric, 3).Build([[1]]) },
        { "does not unpack to 3 bytes", TiffBuilder.Grey(3, 1).With(TiffField.Compression, 8).Build([[1, 2, 3]]) },
        { "directory has 0 entries", [(byte)'I', (byte)'I', 42, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
        { "the directory at byte 4294967295", [(byte)'I', (byte)'I', 42, 0, 255, 255, 255, 255, 0, 0] },
    };

    [Theory, MemberData(nameof(WrongFiles))]
    public void Read_WrongFile_SaysWhatIsWrong(string expected, byte[] file)
    {
        var error = Assert.Throws<ImageFormatException>(() => Decode(file));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_DeflateBomb_StopsAtTheStripsEnd()
    {
        byte[] zeros = PngBuilder.Deflate(new byte[50 << 20]);
        byte[] bomb = TiffBuilder.Grey(3, 1).With(TiffField.Compression, 8).Build([zeros]);
        long before = GC.GetAllocatedBytesForCurrentThread();

        Record.Exception(() => Decode(bomb));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
    }

    private static TiffBuilder Tiled(int width, int height, int tileWidth, int tileHeight) =>
        TiffBuilder.Grey(width, height)
        .With(TiffField.TileWidth, tileWidth).With(TiffField.TileLength, tileHeight);

    private static RgbImage Decode(byte[] file) => ImageReader.Default.Decode(file, "test.tif");

    private static byte[] Greys(byte[] file)
    {
        RgbImage image = Decode(file);
        Assert.All(image.Pixels.Chunk(3), pixel => Assert.True(pixel[0] == pixel[1] && pixel[1] == pixel[2]));
        return [.. image.Pixels.Where((_, i) => i % 3 == 0)];
    }
}
