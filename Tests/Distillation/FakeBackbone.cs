using EfficientAD.Distillation;
using EfficientAD.Imaging;

namespace EfficientAD.Tests.Distillation;

/// <summary>Block means of the colours, mixed into a few channels: something small that a teacher can learn.</summary>
internal sealed class FakeBackbone(string fingerprint = "fake") : IBackbone
{
    private const int EarlierChannels = 128, LaterChannels = 256;

    public string Fingerprint => fingerprint;

    public int Calls { get; private set; }

    public int Stride { get; init; } = 8;

    /// <summary>Put in place of the first feature.</summary>
    public float? First { get; init; }

    public (FeatureMap Earlier, FeatureMap Later) Extract(RgbImage image)
    {
        Calls++;
        return (Stage(image, Stride, EarlierChannels), Stage(image, 2 * Stride, LaterChannels));
    }

    public void Dispose()
    {
    }

    private FeatureMap Stage(RgbImage image, int stride, int channels)
    {
        int height = image.Height / stride, width = image.Width / stride;
        var values = new float[channels * height * width];
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                for (int c = 0; c < channels; c++)
                {
                    int sample = image.Pixels[3 * ((y * stride + c % stride) * image.Width + x * stride) + c % 3];
                    values[(c * height + y) * width + x] = sample / 255f * (1 + c % 5);
                }

        if (First is { } first) values[0] = first;
        return new FeatureMap(channels, height, width, values);
    }
}
