using EfficientAD.Autograd;
using EfficientAD.Autograd.Operations;
using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Networks;
using EfficientAD.Tensors;
using EfficientAD.Training;

namespace EfficientAD.Tests.Training;

/// <summary>Networks whose features are 1 everywhere, and autoencoders that say a constant of them.</summary>
public sealed class AutoencoderFitTests : IDisposable
{
    private const int Size = 64;

    private readonly CpuBackend _backend = new(new CpuOptions { Threads = 2 });
    private readonly DetectionNetworks _networks;

    public AutoencoderFitTests()
    {
        _networks = new DetectionNetworks(_backend, PdnSize.Small, padded: false, trainable: false);
        _networks.Student.Initialize(new CounterRandom(3, 0));
        _backend.Fill(1, _networks.Teacher.Layers[^1].Bias.Value);
        _backend.Fill(1, _networks.Deviation);
    }

    public void Dispose()
    {
        _networks.Dispose();
        _backend.Dispose();
    }

    [Theory]
    [InlineData(1f, 1f)]
    [InlineData(0.5f, 0.75f)]  // 1 - (1 - 0.5)^2
    [InlineData(0f, 0.01f)]    // nothing: the least
    [InlineData(-3f, 0.01f)]   // worse than nothing
    public void Explained_IsWhatTheErrorLacksOfTheVariance(float said, float expected)
    {
        using AutoencoderFit fit = Say(said);
        fit.Add(Picture(0));
        fit.Add(Picture(1));
        Assert.Equal(expected, fit.Explained, 1e-5f);
    }

    /// <summary>A frame looks alike in every image, so it would always count as explained.</summary>
    [Fact]
    public void LetterboxFrame_CountsForNothing()
    {
        _networks.Teacher.Initialize(new CounterRandom(1, 0));
        RgbImage wide = PillowResize.Resize(NaturalTexture.Render(1, 3, Size).View, Size / 4, Size);
        _backend.Fill(0.5f, _networks.Autoencoder.Layers[^1].Bias.Value);
        using AutoencoderFit fit = AutoencoderFit.For(
            Recipe.Quick, _networks, new NetworkInput(_backend, ImageFit.Letterbox, Size, Size))!;
        fit.Add(wide.View);

        // What the teacher makes of the drawn picture, of the rows whose patches are centred on the image.
        using var tape = new Tape(_backend);
        Tensor input = tape.Allocate(new Shape(1, 3, Size, Size));
        new NetworkInput(_backend, ImageFit.Letterbox, Size, Size).Write(wide.View, ColourAdjustment.None, input);
        Tensor features = tape.NormalizeChannels(
            _networks.Teacher.Forward(tape, Variable.Constant(input)), _networks.Mean, _networks.Deviation).Value;
        tape.Forward();
        float[] values = _backend.Download(features);
        double[] errors = [.. values.Where((_, i) => IsInside(i / features.Shape.W % features.Shape.H))
            .Select(value => (value - 0.5) * (value - 0.5))];
        Assert.InRange(errors.Length, 1, values.Length - 1);
        Assert.Equal(Math.Max(0.01, 1 - errors.Average()), fit.Explained, 1e-5);

        static bool IsInside(int row) => 16.5 + 4 * row is >= Size * 3 / 8 and < Size * 5 / 8;
    }

    [Fact]
    public void Scale_OfTheGlobalMapShrinksByIt_TheLocalOneStays()
    {
        using var plan = new DetectionPlan(_networks, MapOrder.Aligned, Size, Size);
        using AutoencoderFit fit = Say(0.5f);
        MapScaling published = Scaling(null), weighed = Scaling(fit);
        Assert.Equal(published.LocalScale, weighed.LocalScale);
        Assert.Equal(published.GlobalLow, weighed.GlobalLow);
        Assert.Equal(0.75f, weighed.GlobalScale / published.GlobalScale, 1e-3f);  // random maps vary alike

        MapScaling Scaling(AutoencoderFit? by)
        {
            var maps = new ValidationMaps(plan, _backend, 1, by);
            maps.Add(NaturalTexture.Render(1, 0, Size));
            return maps.FindScaling(Recipe.Quick);
        }
    }

    [Fact]
    public void PublishedRecipes_LetTheGlobalMapCountFully()
    {
        var input = new NetworkInput(_backend, ImageFit.Squash, Size, Size);
        foreach (Recipe recipe in new[] { Recipe.Reference, Recipe.Paper, Recipe.Anomalib })
            Assert.Null(AutoencoderFit.For(recipe, _networks, input));
        Assert.Null(AutoencoderFit.For(Recipe.Quick with { Autoencoder = false }, _networks, input));
    }

    private AutoencoderFit Say(float value)
    {
        _backend.Fill(value, _networks.Autoencoder.Layers[^1].Bias.Value);
        return AutoencoderFit.For(
            Recipe.Quick, _networks, new NetworkInput(_backend, ImageFit.Squash, Size, Size))!;
    }

    private static ImageView Picture(int index) => NaturalTexture.Render(1, index, Size).View;
}
