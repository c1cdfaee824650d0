using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Networks;
using EfficientAD.Tensors;
using EfficientAD.Tests.Training;
using EfficientAD.Training;

namespace EfficientAD.Tests.Detection;

/// <summary>Images that keep their shape: where they lie, where their maps come out, and that the frame never
/// counts.</summary>
public sealed class LetterboxTests : IDisposable
{
    // An image twice as wide as high lies in rows 32 to 95 of a square input, at half its size.
    private const int Input = 128, ImageHeight = 128, ImageWidth = 256;

    private readonly CpuBackend _backend = new(new CpuOptions { Threads = 2 });
    private readonly DetectionNetworks _networks;

    public LetterboxTests()
    {
        _networks = new DetectionNetworks(_backend, PdnSize.Small, padded: false, trainable: false);
        _networks.Teacher.Initialize(new CounterRandom(1, 0));
        _networks.Student.Initialize(new CounterRandom(2, 0));
        _networks.Autoencoder.Initialize(new CounterRandom(3, 0));
        _backend.Fill(1, _networks.Deviation);
    }

    [Theory]
    [InlineData(100, 50, 64, 64, 0, 16, 64, 32)]
    [InlineData(50, 100, 64, 64, 16, 0, 32, 64)]
    [InlineData(30, 30, 48, 80, 0, 16, 48, 48)]
    [InlineData(1, 1000, 64, 64, 31, 0, 1, 64)]   // not thinner than a pixel
    public void Area_KeepsTheShape(
        int height, int width, int inputHeight, int inputWidth, int top, int left, int toHeight, int toWidth)
    {
        Assert.Equal(
            new FittedArea(top, left, toHeight, toWidth),
            FittedArea.Of(ImageFit.Letterbox, (height, width), (inputHeight, inputWidth)));
        Assert.Equal(
            new FittedArea(0, 0, inputHeight, inputWidth),
            FittedArea.Of(ImageFit.Squash, (height, width), (inputHeight, inputWidth)));
    }

    [Fact]
    public void Canvas_HoldsTheResizedImageInAPlainFrame()
    {
        RgbImage image = NaturalTexture.Render(1, 0, 90);
        ImageView wide = image.View.Crop(0, 10, 90, 45);
        ImageView canvas = new InputCanvas(ImageFit.Letterbox, 64, 64).Draw(wide, ColourAdjustment.None);
        RgbImage expected = PillowResize.Resize(wide, 32, 64);
        for (int y = 0; y < 64; y++)
        {
            if (y is >= 16 and < 48) Assert.Equal(expected.View.Row(y - 16), canvas.Row(y));
            else Assert.Equal((124, 116, 104), (canvas.Row(y)[9], canvas.Row(y)[10], canvas.Row(y)[11]));
        }
    }

    [Fact]
    public void HotValue_ComesOutAtItsPlaceInTheImage()
    {
        using DetectionPlan plan = Plan();
        SetLocalMap(plan, y: 10, x: 10);
        var map = new float[ImageHeight * ImageWidth];
        plan.Combine(new MapScaling(0, 1, 0, 1), ImageHeight, ImageWidth, map);
        double sum = 0, x = 0, y = 0;
        for (int i = 0; i < map.Length; i++)
        {
            sum += map[i];
            x += map[i] * (i % ImageWidth + 0.5);
            y += map[i] * (i / ImageWidth + 0.5);
        }

        // The patch's centre lies at 16.5 + 40 of the input; 0.01 covers the float sums of a bilinear bump.
        Assert.Equal(2 * 56.5, x / sum, 0.01);
        Assert.Equal(2 * (56.5 - 32), y / sum, 0.01);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]    // centred at 24.5; the image begins at 32
    [InlineData(21)]   // centred at 100.5; it ends at 96
    public void Frame_NeverScores(int row)
    {
        using DetectionPlan plan = Plan();
        SetLocalMap(plan, row, x: 5);
        Assert.Equal(0, plan.Combine(new MapScaling(0, 1, 0, 1), ImageHeight, ImageWidth, []));
    }

    [Fact]
    public void Quantiles_AreThoseOfTheImageAlone()
    {
        using DetectionPlan plan = Plan();
        var maps = new ValidationMaps(plan, _backend, 1);
        RgbImage image = NaturalTexture.Render(2, 0, 128);
        maps.Add(PillowResize.Resize(image.View, ImageHeight, ImageWidth));
        float[] values = _backend.Download(plan.LocalMap);
        int side = plan.LocalMap.Shape.W;
        // Rows whose patches are centred inside: 16.5 + 4 y from 32 to 96.
        float[] inside = [.. Enumerable.Range(0, side).Where(y => 16.5 + 4 * y is >= 32 and < 96)
            .SelectMany(y => values[(y * side)..((y + 1) * side)]).Order()];
        Assert.True(inside.Length < values.Length);
        double position = 0.9 * (inside.Length - 1);
        float low = inside[(int)position], high = inside[(int)position + 1];
        Assert.InRange(maps.FindScaling(Recipe.Reference).LocalLow, low, high);
    }

    [Fact]
    public void PlaceWeights_AreThoseOfTheImageAlone()
    {
        _networks.AddPlaceWeights(Input, Input);
        using DetectionPlan plan = Plan();
        RgbImage image = NaturalTexture.Render(2, 0, 128);
        RgbImage wide = PillowResize.Resize(image.View, ImageHeight, ImageWidth);
        PlaceWeightFit.Run(_networks, plan, new ImageSet(1, _ => wide, budget: 0));

        float[] weights = _backend.Download(_networks.PlaceWeights!);
        _backend.Fill(1, _networks.PlaceWeights!);
        plan.ComputeMaps(wide.View);
        float[] errors = _backend.Download(plan.WeighedMap!);
        int side = plan.LocalMap.Shape.W;
        double mean = Inside().Average(place => errors[place]);
        float[] expected = Array.ConvertAll(new float[errors.Length], _ => 1f);
        foreach (int place in Inside()) expected[place] = (float)(2 * mean / (errors[place] + mean));
        TensorAssert.Close(expected, weights, 1e-5, because: "float sums");

        // Rows whose patches are centred inside: 16.5 + 4 y from 32 to 96.
        IEnumerable<int> Inside() =>
            Enumerable.Range(0, errors.Length).Where(i => 16.5 + 4 * (i / side) is >= 32 and < 96);
    }

    [Fact]
    public void Model_RemembersIt_FromTrainingToDetection()
    {
        using var task = new TinyTask(trainingImages: 4);
        TrainingOptions options = task.Options(2) with
        {
            Fit = ImageFit.Letterbox,
            InputHeight = 48,
            InputWidth = 72,
        };
        ModelInformation information;
        using (var trainer = new EfficientADTrainer(task.Dataset, options))
            information = trainer.Run(null, TestContext.Current.CancellationToken);
        Assert.Contains("letterbox", information.Deviations, StringComparison.Ordinal);

        using AnomalyDetector whole = AnomalyDetector.Load(task.ModelPath, new DetectorOptions { Threads = 2 });
        using AnomalyDetector tiled = AnomalyDetector.Load(
            task.ModelPath, new DetectorOptions { Threads = 2, Tile = 64 });
        Assert.Equal((ImageFit.Letterbox, information), (whole.Information.Fit, whole.Information));
        DetectionResult result = whole.Detect(TinyTask.Part(1).View);
        Assert.Equal((TinyTask.Size, TinyTask.Size), (result.Map!.Width, result.Map.Height));
        Assert.Equal(result.Score, tiled.Detect(TinyTask.Part(1).View).Score, 1e-3f * Math.Abs(result.Score));
    }

    [Fact]
    public void OtherMapOrders_AreRefused()
    {
        using var task = new TinyTask(trainingImages: 4);
        TrainingOptions options = task.Options(2) with { Recipe = Recipe.Reference, Fit = ImageFit.Letterbox };
        var refused = Assert.Throws<ArgumentException>(() => new EfficientADTrainer(task.Dataset, options));
        Assert.Contains("aligned", refused.Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _networks.Dispose();
        _backend.Dispose();
    }

    private DetectionPlan Plan() =>
        new(_networks, MapOrder.Aligned, Input, Input, fit: ImageFit.Letterbox);

    private void SetLocalMap(DetectionPlan plan, int y, int x)
    {
        var values = new float[plan.LocalMap.Shape.Count];
        values[y * plan.LocalMap.Shape.W + x] = 100;
        _backend.Upload(values, plan.LocalMap);
        _backend.Fill(0, plan.GlobalMap);
    }
}
