using System.IO.Compression;

namespace EfficientAD.Imaging;

/// <summary>Inflates a PNG's data once to see that every row is there: a decoder would fill what is missing.</summary>
internal static class PngRows
{
    // Adam7: first column, first row, column step, row step of each pass.
    private static readonly (int X, int Y, int StepX, int StepY)[] Passes =
        [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

    /// <exception cref="ImageFormatException">The zlib stream is damaged, too short or too long, or a filter is
    /// unknown.</exception>
    public static void Check(ImageFile file, PngFile png)
    {
        try
        {
            using var inflated = new ZLibStream(png.OpenData(), CompressionMode.Decompress);
            if (!png.Interlaced) CheckPass(file, png, inflated, png.Width, png.Height);
            else
                foreach (var (x, y, stepX, stepY) in Passes)
                    CheckPass(file, png, inflated, CeilingOf(png.Width - x, stepX), CeilingOf(png.Height - y, stepY));
            if (inflated.ReadByte() >= 0)
                throw file.Damaged($"the pixel data goes on after the last of {png.Height} rows");
        }
        catch (InvalidDataException e)
        {
            throw file.Damaged($"the compressed pixel data is damaged", e);
        }
    }

    private static void CheckPass(ImageFile file, PngFile png, ZLibStream inflated, int width, int height)
    {
        if (width == 0 || height == 0) return;
        var row = new byte[1 + CeilingOf((long)width * png.BitsPerPixel, 8)];
        for (int y = 0; y < height; y++)
        {
            int read = inflated.ReadAtLeast(row, row.Length, throwOnEndOfStream: false);
            if (read < row.Length)
                throw file.Damaged($"the pixel data ends in row {y} of {height}: {read} of {row.Length} bytes");
            if (row[0] > 4) throw file.Damaged($"row {y} has filter {row[0]}, but PNG knows 0 to 4");
        }
    }

    private static int CeilingOf(long value, int divisor) => (int)((value + divisor - 1) / divisor);
}
