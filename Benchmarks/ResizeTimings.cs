using System.Diagnostics;
using System.Globalization;
using EfficientAD.Imaging;

namespace EfficientAD.Benchmarks;

/// <summary>Pillow's bilinear resize in ours, one thread: <c>Benchmarks resize</c>. <c>peers/pillow_resize.py</c>
/// prints the same lines for Pillow.</summary>
internal static class ResizeTimings
{
    private const double Seconds = 0.4;

    public static void Run()
    {
        foreach (PixelFormat format in new[] { PixelFormat.Rgb24, PixelFormat.Grey8 })
            foreach ((int width, int height) in new[] { (256, 256), (1024, 1024), (2448, 2048) })
                Measure(format, width, height);
    }

    private static void Measure(PixelFormat format, int width, int height)
    {
        int channels = format == PixelFormat.Grey8 ? 1 : 3;
        var pixels = new byte[channels * width * height];
        new Random(1).NextBytes(pixels);
        var resize = new PillowResize(height, width, 256, 256);
        var output = new byte[channels * 256 * 256];
        for (int i = 0; i < 40; i++) Once();
        List<double> times = [];
        long first = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(first).TotalSeconds < Seconds)
        {
            long start = Stopwatch.GetTimestamp();
            Once();
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{(channels == 1 ? "L" : "RGB")} {width} x {height} -> 256 x 256: " +
            $"median {times.Median():0.000} ms, least {times.Min():0.000}"));

        void Once()
        {
            var image = new ImageView(pixels, width, height, channels * width, format);
            if (channels == 1) resize.RunGrey(image, ColourAdjustment.None, output);
            else resize.Run(image, output);
        }
    }
}
