using System.Runtime.InteropServices;
using BitMiracle.LibTiff.Classic;
using EfficientAD.Detection;
using EfficientAD.Imaging;

namespace EfficientAD.Tests.Imaging;

public class ImageWriterTests
{
    [Fact]
    public void WritePng_ReadBack_GivesTheSamePixels()
    {
        using var folder = new TemporaryFolder();
        var colour = new RgbImage(31, 17, NoiseImage.Bytes(3 * 31 * 17, seed: 1));
        var grey = new GreyImage(31, 17, NoiseImage.Bytes(31 * 17, seed: 2));
        string colourPath = folder.Write("colour.png", [1, 2, 3]), greyPath = folder.Write("grey.png", []);  // replaced

        ImageWriter.WritePng(colourPath, colour);
        ImageWriter.WritePng(greyPath, grey);

        Assert.Equal(colour.Pixels, ImageReader.Default.Read(colourPath).Pixels);
        Assert.Equal(grey.Pixels, ImageReader.Default.ReadMask(greyPath).Pixels);
        Assert.Equal(["colour.png", "grey.png"], Directory.GetFiles(folder.Path).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void FloatTiff_ReadByLibTiff_GivesTheSameBits()
    {
        using var folder = new TemporaryFolder();
        float[] values =
            [0, -0f, 1.5f, float.MaxValue, float.Epsilon, float.NaN, float.NegativeInfinity, -123.4f, 1e-20f, 7, 8, 9];
        string path = Path.Combine(folder.Path, "map.tiff");

        FloatTiff.Write(path, new AnomalyMap(4, 3, values));

        using Tiff tiff = Tiff.Open(path, "r");
        Assert.Equal(4, tiff.GetField(TiffTag.IMAGEWIDTH)[0].ToInt());
        Assert.Equal(3, tiff.GetField(TiffTag.IMAGELENGTH)[0].ToInt());
        Assert.Equal(32, tiff.GetField(TiffTag.BITSPERSAMPLE)[0].ToInt());
        Assert.Equal((int)SampleFormat.IEEEFP, tiff.GetField(TiffTag.SAMPLEFORMAT)[0].ToInt());
        Assert.Equal(1, tiff.NumberOfDirectories());
        var row = new byte[16];
        for (int y = 0; y < 3; y++)
        {
            Assert.True(tiff.ReadScanline(row, y));
            Assert.Equal(MemoryMarshal.AsBytes(values.AsSpan(4 * y, 4)).ToArray(), row);
        }
    }

    [Fact]
    public void FloatTiff_MissingFolder_ThrowsIOException() => Assert.Throws<DirectoryNotFoundException>(
        () => FloatTiff.Write(Path.Combine(Path.GetTempPath(), "no such folder", "map.tiff"), new AnomalyMap(1, 1)));
}
