using EfficientAD.Imaging;

namespace EfficientAD.Tests.Imaging;

/// <summary>Whatever happens to a file, it ends as its picture or as an <see cref="ImageFormatException"/>.</summary>
public class DamagedFileTests
{
    private const int Flips = 1500;

    public static TheoryData<string> Files =>
    [
        "rgb.png", "palette16.png", "grey16.png", "rgb.jpg", "rgb-progressive.jpg", "grey.jpg", "gentle-subsampled.jpg",
        "rgb-raw.tif", "rgb-lzw.tif", "rgb-deflate.tif", "rgb-packbits.tif", "palette-raw.tif", "grey16-lzw.tif",
        "rgb.bmp", "palette.bmp", "rgba.bmp", "rgb.pnm", "grey.pnm", "text.pgm", "deep.ppm",
    ];

    [Theory, MemberData(nameof(Files))]
    public void Decode_CutAtEveryByte_IsRefused(string name)
    {
        byte[] whole = Whole(name);
        ImageReader.Default.Decode(whole, name);  // the whole file is fine

        for (int length = 0; length < whole.Length; length++)
        {
            byte[] cut = whole[..length];
            if (Record.Exception(() => ImageReader.Default.Decode(cut, name)) is not ImageFormatException)
                Assert.Fail($"{name} cut after {length} of {whole.Length} bytes was not refused.");
        }
    }

    [Theory, MemberData(nameof(Files))]
    public void Decode_BytesChanged_GivesAPictureOrARefusal(string name)
    {
        byte[] whole = Whole(name);
        var random = new Random(20240117);
        var reader = new ImageReader(new ImageLimits { MaxPixels = 1 << 20 });
        for (int i = 0; i < Flips; i++)
        {
            byte[] changed = [.. whole];
            for (int j = random.Next(1, 4); j > 0; j--) changed[random.Next(changed.Length)] = (byte)random.Next(256);
            Exception? error = Record.Exception(() => reader.Decode(changed, name));
            if (error is not (null or ImageFormatException)) Assert.Fail($"{name}, change {i}: {error}");
        }
    }

    private static byte[] Whole(string name) => name switch
    {
        "text.pgm" => "P2\n# a comment\n3 2\n255\n0 10 200\n1 2 255\n"u8.ToArray(),
        "deep.ppm" => [.. "P6 2 1 65535\n"u8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
        _ => PillowReference.Bytes("files", name),
    };
}
