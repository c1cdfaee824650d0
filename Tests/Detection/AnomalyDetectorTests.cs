using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Tests.Training;
using EfficientAD.Training;

namespace EfficientAD.Tests.Detection;

/// <summary>A model of a few steps: what it says of parts does not matter here.</summary>
public sealed class ModelFixture : IDisposable
{
    private readonly TinyTask _task = new(trainingImages: 4);

    public ModelFixture()
    {
        using var trainer = new EfficientADTrainer(_task.Dataset, _task.Options(3));
        Information = trainer.Run(progress: null, CancellationToken.None);
    }

    public ModelInformation Information { get; }

    public string Path => _task.ModelPath;

    public void Dispose() => _task.Dispose();
}

public sealed class AnomalyDetectorTests(ModelFixture model) : IClassFixture<ModelFixture>, IDisposable
{
    private readonly AnomalyDetector _detector = AnomalyDetector.Load(model.Path, new DetectorOptions { Threads = 1 });

    public static TheoryData<PixelFormat, int> Formats => new()
    {
        { PixelFormat.Rgb24, 0 }, { PixelFormat.Bgr24, 5 }, { PixelFormat.Rgba32, 0 }, { PixelFormat.Bgra32, 12 },
    };

    [Theory, MemberData(nameof(Formats))]
    public void EveryFormatAndStride_GivesTheSameMap(PixelFormat format, int padding)
    {
        RgbImage part = TinyTask.Part(50);
        DetectionResult expected = _detector.Detect(part.View);
        DetectionResult actual = _detector.Detect(Repacked(part, format, padding, out _));
        Assert.Equal(expected.Score, actual.Score);
        Assert.Equal(expected.Map!.Values, actual.Map!.Values);
    }

    [Fact]
    public void Grey_EqualsThreeEqualChannels()
    {
        var grey = new byte[TinyTask.Size * TinyTask.Size];
        var rgb = new RgbImage(TinyTask.Size, TinyTask.Size);
        byte[] part = TinyTask.Part(51).Pixels;
        for (int i = 0; i < grey.Length; i++)
            rgb.Pixels[3 * i] = rgb.Pixels[3 * i + 1] = rgb.Pixels[3 * i + 2] = grey[i] = part[3 * i];
        var view = new ImageView(grey, TinyTask.Size, TinyTask.Size, TinyTask.Size, PixelFormat.Grey8);
        TensorAssert.Close(
            _detector.Detect(rgb.View).Map!.Values.AsSpan(), _detector.Detect(view).Map!.Values, absolute: 5e-4,
            because: "weights summed over the colours round otherwise");
    }

    [Fact]
    public async Task SeveralThreads_GetTheResultsOfOne()
    {
        float[] expected = [.. Enumerable.Range(0, 8).Select(i => _detector.Detect(TinyTask.Part(i).View).Score)];
        float[][] actual = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
            Enumerable.Range(0, 8).Select(i => _detector.Detect(TinyTask.Part(i).View).Score).ToArray())));
        Assert.All(actual, scores => Assert.Equal(expected, scores));
    }

    [Fact]
    public void Threshold_DecidesTheVerdictAtRunTime()
    {
        DetectionResult result = _detector.Detect(TinyTask.Part(52).View);
        _detector.Threshold = result.Score;
        Assert.Equal(Verdict.Good, _detector.Detect(TinyTask.Part(52).View).Verdict);
        _detector.Threshold = MathF.BitDecrement(result.Score);
        Assert.Equal(Verdict.Anomalous, _detector.Detect(TinyTask.Part(52).View).Verdict);
    }

    [Theory]
    [InlineData(0, "blank")]
    [InlineData(128, "blank")]
    [InlineData(255, "blank")]
    public void BlankFrame_IsInvalid(byte value, string reason)
    {
        var image = new RgbImage(TinyTask.Size, TinyTask.Size);
        Array.Fill(image.Pixels, value);
        AssertInvalid(image, reason);
    }

    [Theory]
    [InlineData(255, "overexposed")]
    [InlineData(0, "underexposed")]
    public void SaturatedFrame_IsInvalid(byte value, string reason)
    {
        var image = new RgbImage(TinyTask.Size, TinyTask.Size);
        Array.Fill(image.Pixels, value);
        image.Pixels[100] = 77;
        AssertInvalid(image, reason);
    }

    [Fact]
    public void FrameOfAnotherSize_IsInvalidUnlessAccepted()
    {
        RgbImage large = NaturalTexture.Render(1, 0, 96);
        DetectionResult refused = _detector.Detect(large.View);
        Assert.Equal(Verdict.Invalid, refused.Verdict);
        Assert.Contains("96 x 96", refused.Reason, StringComparison.Ordinal);

        using AnomalyDetector any = AnomalyDetector.Load(
            model.Path, new DetectorOptions { Threads = 1, AcceptAnySize = true });
        DetectionResult accepted = any.Detect(large.View);
        Assert.NotEqual(Verdict.Invalid, accepted.Verdict);
        Assert.Equal((96, 96), (accepted.Map!.Width, accepted.Map.Height));
    }

    [Fact]
    public void MapOfAnotherSize_IsAnError() =>
        Assert.Throws<ArgumentException>(() => _detector.Detect(TinyTask.Part(1).View, new AnomalyMap(10, 10)));

    [Fact]
    public void MapIsOverwritten_AndTheScoreIsTheSameWithoutIt()
    {
        var map = new AnomalyMap(TinyTask.Size, TinyTask.Size);
        DetectionResult with = _detector.Detect(TinyTask.Part(53).View, map);
        DetectionResult without = _detector.Detect(TinyTask.Part(53).View, null);
        Assert.Same(map, with.Map);
        Assert.Null(without.Map);
        Assert.Equal(with.Score, without.Score);
        Assert.Equal(with.Score, map.Values.Max());
    }

    [Theory, InlineData(1), InlineData(2), InlineData(8)]
    public void SeveralImages_GetTheResultsOfEach(int batch)
    {
        using AnomalyDetector detector = AnomalyDetector.Load(
            model.Path, new DetectorOptions { Threads = 2, Batch = batch });
        RgbImage[] images = [.. Enumerable.Range(0, 5).Select(i => TinyTask.Part(i))];
        images[1] = new RgbImage(TinyTask.Size, TinyTask.Size);  // blank
        DetectionResult[] results = detector.Detect(images);
        foreach ((int i, RgbImage image) in images.Index())
        {
            DetectionResult alone = _detector.Detect(image.View);
            Assert.Equal(
                (alone.Verdict, alone.Score, alone.Reason), (results[i].Verdict, results[i].Score, results[i].Reason));
            Assert.Equal(alone.Map?.Values, results[i].Map?.Values);
        }

        Assert.Equal(Verdict.Invalid, results[1].Verdict);
        var scores = new DetectionResult[1];
        detector.Detect(1, _ => images[3].View, [], scores);
        Assert.Equal((results[3].Score, null), (scores[0].Score, scores[0].Map));
    }

    [Fact]
    public void SeveralImages_NeedAsManyResultsAndMaps()
    {
        RgbImage part = TinyTask.Part(0);
        AnomalyMap[] maps = [new(part.Width, part.Height)];
        Assert.Throws<ArgumentException>(() => _detector.Detect(2, _ => part.View, [], new DetectionResult[1]));
        Assert.Throws<ArgumentException>(() => _detector.Detect(2, _ => part.View, maps, new DetectionResult[2]));
        Assert.Throws<ArgumentException>(
            () => _detector.Detect(1, _ => part.View, [new AnomalyMap(3, 3)], new DetectionResult[1]));
    }

    [Theory, InlineData(1), InlineData(3)]
    public void Detection_AllocatesNothingLarge(int batch)
    {
        using AnomalyDetector detector = AnomalyDetector.Load(
            model.Path, new DetectorOptions { Threads = 1, Batch = batch });
        RgbImage part = TinyTask.Part(60);
        AnomalyMap[] maps = [.. Enumerable.Range(0, batch).Select(_ => new AnomalyMap(part.Width, part.Height))];
        var results = new DetectionResult[batch];
        Func<int, ImageView> image = _ => part.View;
        for (int i = 0; i < 3; i++) detector.Detect(batch, image, maps, results);
        long before = GC.GetAllocatedBytesForCurrentThread();
        detector.Detect(batch, image, maps, results);
        long each = (GC.GetAllocatedBytesForCurrentThread() - before) / batch;
        Assert.True(
            each < 4096, $"{each} bytes per image; the closures of a few parallel loops are expected, no buffers.");
    }

    [Fact]
    public void Disposed_Throws()
    {
        _detector.Dispose();
        Assert.Throws<ObjectDisposedException>(() => _detector.Detect(TinyTask.Part(1).View));
    }

    [Fact]
    public void Information_SurvivesTheFile() => Assert.Equal(model.Information, _detector.Information);

    public void Dispose() => _detector.Dispose();

    private void AssertInvalid(RgbImage image, string reason)
    {
        DetectionResult result = _detector.Detect(image.View);
        Assert.Equal(Verdict.Invalid, result.Verdict);
        Assert.Contains(reason, result.Reason, StringComparison.Ordinal);
        Assert.True(float.IsNaN(result.Score));
        Assert.Null(result.Map);
    }

    private static ImageView Repacked(RgbImage image, PixelFormat format, int padding, out byte[] pixels)
    {
        int bytes = format is PixelFormat.Rgba32 or PixelFormat.Bgra32 ? 4 : 3, stride = image.Width * bytes + padding;
        bool reversed = format is PixelFormat.Bgr24 or PixelFormat.Bgra32;
        pixels = new byte[stride * image.Height];
        Array.Fill(pixels, (byte)200);
        for (int y = 0; y < image.Height; y++)
        {
            for (int x = 0; x < image.Width; x++)
            {
                (int from, int to) = (3 * (y * image.Width + x), y * stride + x * bytes);
                for (int c = 0; c < 3; c++) pixels[to + (reversed ? 2 - c : c)] = image.Pixels[from + c];
            }
        }

        return new ImageView(pixels, image.Width, image.Height, stride, format);
    }
}
