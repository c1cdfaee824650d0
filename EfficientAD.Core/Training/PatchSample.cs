using EfficientAD.Backends;
using EfficientAD.Tensors;

namespace EfficientAD.Training;

/// <summary>What a network's last layer sees at random places of some images: patches of its input, k x k places of all
/// channels, and what it is to answer there.</summary>
/// <param name="hidden">The last layer's input, [1, c, h, w].</param>
/// <param name="kernel">k of the last layer.</param>
/// <param name="images">How many images there are.</param>
/// <param name="perImage">Places drawn in each.</param>
/// <param name="draws">Where the places come from: one stream per image.</param>
internal sealed class PatchSample(Shape hidden, int kernel, int images, int perImage, Func<int, CounterRandom> draws)
{
    private readonly int _outputWidth = hidden.W - kernel + 1, _outputPlane = (hidden.H - kernel + 1) * (hidden.W - kernel + 1);
    private readonly float[] _map = new float[hidden.Count];

    /// <summary>Values of a patch: c k k, in the order of the last layer's weights.</summary>
    public int Length { get; } = hidden.C * kernel * kernel;

    /// <summary>Number of patches.</summary>
    public int Count { get; } = images * perImage;

    /// <summary>[length, count]: a value of all patches after the other.</summary>
    public float[] Values { get; } = new float[(long)hidden.C * kernel * kernel * images * perImage];

    /// <summary>Takes the patches of an image.</summary>
    public void Add(int image, IBackend backend, Tensor hiddenMap)
    {
        backend.Download(hiddenMap, _map);
        int[] places = Places(image);
        int row = 0;
        for (int c = 0; c < hidden.C; c++)
        {
            for (int y = 0; y < kernel; y++)
            {
                for (int x = 0; x < kernel; x++, row++)
                {
                    Span<float> values = Values.AsSpan(row * Count + image * perImage, perImage);
                    int corner = (c * hidden.H + y) * hidden.W + x;
                    for (int p = 0; p < values.Length; p++)
                        values[p] = _map[corner + places[p] / _outputWidth * hidden.W + places[p] % _outputWidth];
                }
            }
        }
    }

    /// <summary>Takes what the last layer is to answer at the same places of the same image.</summary>
    /// <param name="features">[1, o, h - k + 1, w - k + 1].</param>
    /// <param name="answers">[o, count]; the image's columns are written.</param>
    public void AddAnswers(int image, IBackend backend, Tensor features, float[] answers)
    {
        float[] values = backend.Download(features);
        int[] places = Places(image);
        for (int o = 0; o < features.Shape.C; o++)
        {
            for (int p = 0; p < perImage; p++)
                answers[o * Count + image * perImage + p] = values[o * _outputPlane + places[p]];
        }
    }

    private int[] Places(int image)
    {
        CounterRandom random = draws(image);
        var places = new int[perImage];
        for (int p = 0; p < perImage; p++) places[p] = random.Below((ulong)p, _outputPlane);
        return places;
    }
}
