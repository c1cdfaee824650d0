using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Tensors;
using EfficientAD.Tests.Training;
using EfficientAD.Training;

namespace EfficientAD.Tests.Detection;

public class PooledDistributionTests
{
    /// <summary>Few vectors in many dimensions: what shrinks the covariance. Expected values by
    /// plain Python in double, by the paper's formulas.</summary>
    [Fact]
    public void Distance_IsThatOfTheShrunkCovariance()
    {
        double[][] vectors = [[1, 0, 2], [3, 1, 0], [0, -2, 1], [8, 6, 4], [-6, -5, 0], [9, 7, 1]];
        PooledDistribution distribution = PooledDistribution.Fit(vectors);
        Assert.Equal(7 / 6.0, distribution.Mean[1], 1e-12);
        Assert.Equal(1.1294813053023578, distribution.Distance([4, 0, 0]), 1e-9);
        Assert.Equal(0, distribution.Distance(distribution.Mean), 1e-12);
    }

    [Fact]
    public void ManyVectors_GiveTheirOwnCovariance()
    {
        var random = new CounterRandom(1, 1);
        double[][] vectors = [.. Enumerable.Range(0, 20_000).Select(i => new[]
        {
            3 + 2.0 * random.Normal((ulong)(2 * i)), -1 + 0.5 * random.Normal((ulong)(2 * i + 1)),
        })];
        PooledDistribution distribution = PooledDistribution.Fit(vectors);
        // Three standard deviations along one axis, four along the other.
        Assert.Equal(5, distribution.Distance([3 + 3 * 2, -1 + 4 * 0.5]), 0.1);
    }

    [Fact]
    public void EqualImages_AreRefused() =>
        Assert.Throws<InvalidOperationException>(() => PooledDistribution.Fit([[1, 2], [1, 2]]));

    [Fact]
    public void Model_KeepsTheHead_AndScoresByIt()
    {
        using var task = new TinyTask(trainingImages: 8);
        TrainingOptions options = task.Options(3) with { PooledHead = true };
        ModelInformation information;
        using (var trainer = new EfficientADTrainer(task.Dataset, options))
            information = trainer.Run(null, TestContext.Current.CancellationToken);
        Assert.NotNull(information.Pooled);
        using AnomalyDetector detector = AnomalyDetector.Load(
            task.ModelPath, new DetectorOptions { Threads = 2, Batch = 2 });
        Assert.Equal(information, detector.Information);

        // Bands twice as bright change no place's texture much, but the mean of all: the distance must count.
        RgbImage good = TinyTask.Part(500), bright = Brighter(TinyTask.Part(500));
        DetectionResult ofGood = detector.Detect(good.View), ofBright = detector.Detect(bright.View);
        float withoutGood = ofGood.Map!.Values.Max(), without = ofBright.Map!.Values.Max();
        PooledScaling scaling = information.Pooled!.Value;
        Assert.True(ofBright.Score > ofGood.Score);
        float shareOfMap = (without - withoutGood) / scaling.ScoreDeviation;
        Assert.True(ofBright.Score - ofGood.Score > shareOfMap + 1, "The distance adds nothing to the map's part.");

        DetectionResult[] together = detector.Detect([good, bright]);
        Assert.Equal(ofGood.Score, together[0].Score, 1e-3f * Math.Abs(ofGood.Score));
        Assert.Equal(ofBright.Score, together[1].Score, 1e-3f * Math.Abs(ofBright.Score));
    }

    private static RgbImage Brighter(RgbImage image) =>
        new(image.Width, image.Height, [.. image.Pixels.Select(value => (byte)Math.Min(255, value + 40))]);
}
