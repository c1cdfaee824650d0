using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Engines;
using EfficientAD.Imaging;

namespace EfficientAD.Benchmarks;

/// <summary>From a camera's pixels to the networks' input of 256 x 256, one thread.</summary>
[SimpleJob(RunStrategy.Throughput, launchCount: 1, warmupCount: 3, iterationCount: 10)]
public class PreprocessingBenchmarks
{
    private readonly Preprocessing _preprocessing = new();
    private readonly float[] _output = new float[3 * 256 * 256];
    private byte[] _pixels = [];

    [Params("256x256", "1024x1024", "2448x2048")]
    public string Source { get; set; } = "";

    [Params(PixelFormat.Rgb24, PixelFormat.Grey8, PixelFormat.Bgra32)]
    public PixelFormat Format { get; set; }

    private int Width => int.Parse(Source.Split('x')[0]);

    private int Height => int.Parse(Source.Split('x')[1]);

    private int BytesPerPixel => Format switch { PixelFormat.Grey8 => 1, PixelFormat.Rgb24 => 3, _ => 4 };

    [GlobalSetup]
    public void Setup()
    {
        _pixels = new byte[Width * Height * BytesPerPixel];
        new Random(1).NextBytes(_pixels);
    }

    [Benchmark]
    public void Preprocess() => _preprocessing.Run(
        new ImageView(_pixels, Width, Height, Width * BytesPerPixel, Format), ColourAdjustment.None, 256, 256, 256, 256,
        _output);
}
