using EfficientAD.Autograd;
using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Imaging;
using EfficientAD.Networks;
using EfficientAD.Tensors;
using EfficientAD.Tests.Backends;
using EfficientAD.Training;

namespace EfficientAD.Tests.Training;

public sealed class TeacherStatisticsTests : IDisposable
{
    private const int Size = 64;

    private readonly CpuBackend _backend = new(new CpuOptions { Threads = 2 });
    private readonly DetectionNetworks _networks;

    public TeacherStatisticsTests()
    {
        _networks = new DetectionNetworks(_backend, PdnSize.Small, padded: false, trainable: false);
        _networks.Teacher.Initialize(new CounterRandom(1, 0));
    }

    public void Dispose()
    {
        _networks.Dispose();
        _backend.Dispose();
    }

    /// <summary>A wide, a square and a tall image. In a letterbox the patches of rows, or columns, 2 to 5 of 8 are
    /// centred on the first and the last.</summary>
    [Theory]
    [InlineData(ImageFit.Letterbox)]
    [InlineData(ImageFit.Squash)]
    public void Statistics_AreThoseOfTheImagesAndNotOfTheirFrames(ImageFit fit)
    {
        RgbImage[] images =
        [
            PillowResize.Resize(NaturalTexture.Render(1, 3, Size).View, Size / 4, Size),
            NaturalTexture.Render(1, 4, Size),
            PillowResize.Resize(NaturalTexture.Render(1, 5, Size).View, Size, Size / 4),
        ];
        var input = new NetworkInput(_backend, fit, Size, Size);
        TeacherStatistics.Find(
            _networks, input, new ImageSet(images.Length, i => images[i], budget: 0), kept: null, progress: null,
            TestContext.Current.CancellationToken);

        using var tape = new Tape(_backend);
        Tensor pixels = tape.Allocate(new Shape(1, 3, Size, Size));
        Tensor features = _networks.Teacher.Forward(tape, Variable.Constant(pixels)).Value;
        var inside = new List<double>[features.Shape.C];
        for (int c = 0; c < inside.Length; c++) inside[c] = [];
        for (int i = 0; i < images.Length; i++)
        {
            input.Write(images[i].View, ColourAdjustment.None, pixels);
            tape.Forward();
            float[] map = _backend.Download(features);
            for (int j = 0; j < map.Length; j++)
            {
                int row = j / 8 % 8, column = j % 8, across = i == 0 ? row : column;
                if (fit == ImageFit.Squash || i == 1 || across is >= 2 and <= 5) inside[j / 64].Add(map[j]);
            }
        }

        Assert.Equal(new Shape(1, PatchDescriptionNetwork.TeacherChannels, 8, 8), features.Shape);
        double[] means = [.. inside.Select(values => values.Average())];
        double[] deviations =
        [
            .. inside.Zip(means, (values, mean) => Math.Sqrt(values.Average(value => (value - mean) * (value - mean)))),
        ];
        TensorAssert.Close(means, _backend.Download(_networks.Mean), 1e-5, because: "float features");
        TensorAssert.Close(deviations, _backend.Download(_networks.Deviation), 1e-5, because: "float features");
    }
}
