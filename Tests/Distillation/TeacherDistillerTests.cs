using EfficientAD.Backends.Cpu;
using EfficientAD.Distillation;
using EfficientAD.Models;
using EfficientAD.Networks;
using EfficientAD.Tests.Imaging;
using EfficientAD.Training;

namespace EfficientAD.Tests.Distillation;

public sealed class TeacherDistillerTests : IDisposable
{
    private const int Images = 10;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Loss_FallsBelowTheVariance_AndTheTeacherLoads()
    {
        var options = Options("falls") with { Steps = 24, BatchSize = 2, EvaluationInterval = 8, LearningRate = 2e-3f };
        DistillationResult result = Run(options, new FakeBackbone());
        Assert.Equal([8, 16, 24], result.Curve.Select(point => point.Step));
        Assert.True(result.HeldBackLoss < 0.9f, $"The held-back loss is {result.HeldBackLoss} of the variance.");
        Assert.True(result.HeldBackLoss < result.Curve[0].HeldBackLoss);
        Assert.False(File.Exists(options.TeacherPath + ".checkpoint"));

        using var backend = new CpuBackend();
        (PatchDescriptionNetwork teacher, _) = TeacherFile.Load(
            options.TeacherPath, PdnSize.Small, padded: false, backend);
        teacher.Dispose();
        using SafetensorsFile file = SafetensorsFile.Open(options.TeacherPath);
        Assert.Equal(SafetensorsType.F16, file.Get("conv4.weight").Type);
        Assert.Equal("24 of 24", file.Metadata["step"]);
        Assert.Equal("fake", file.Metadata["backbone"]);
        Assert.Equal("command, licence", $"{file.Metadata["command"]}, {file.Metadata["licence"]}");
    }

    [Fact]
    public void ResumedRun_EndsWithTheBitsOfAnUninterruptedOne()
    {
        Run(Options("whole"), new FakeBackbone());
        DistillationOptions options = Options("parts");
        using (var cancellation = new CancellationTokenSource())
        {
            var stopAtSecondStep = new Watch(progress =>
            {
                if (progress is { Phase: DistillationPhase.Steps, Done: 2 }) cancellation.Cancel();
            });
            Assert.Throws<OperationCanceledException>(
                () => Run(options, new FakeBackbone(), stopAtSecondStep, cancellation.Token));
        }

        Run(options with { Resume = true }, new FakeBackbone());
        Assert.Equal(File.ReadAllBytes(Options("whole").TeacherPath), File.ReadAllBytes(options.TeacherPath));
    }

    [Fact]
    public void CachedRun_CallsNoBackbone_AndHasTheSameBits()
    {
        Run(Options("first"), new FakeBackbone());
        var backbone = new FakeBackbone();
        Run(Options("second"), backbone);
        Assert.Equal(0, backbone.Calls);
        Assert.Equal(File.ReadAllBytes(Options("first").TeacherPath), File.ReadAllBytes(Options("second").TeacherPath));
    }

    [Fact]
    public void InitialTeacher_IsWhereTheRunStarts()
    {
        DistillationResult first = Run(Options("initial") with { Steps = 24 }, new FakeBackbone());
        DistillationOptions continued = Options("continued") with
        {
            Steps = 1,
            InitialTeacher = Options("initial").TeacherPath,
            LearningRate = 1e-9f,
        };
        DistillationResult second = Run(continued, new FakeBackbone());
        Assert.Equal(first.HeldBackLoss, second.HeldBackLoss, 1e-3f);
    }

    [Fact]
    public void Duration_DecidesTheSteps()
    {
        var reports = new List<DistillationProgress>();
        DistillationOptions options = Options("timed") with { Steps = null, Duration = TimeSpan.FromHours(1) };
        using var cancellation = new CancellationTokenSource();
        var watch = new Watch(progress =>
        {
            reports.Add(progress);
            if (progress is { Phase: DistillationPhase.Steps, Done: 3 }) cancellation.Cancel();
        });
        Assert.Throws<OperationCanceledException>(() => Run(options, new FakeBackbone(), watch, cancellation.Token));
        Assert.InRange(reports[^1].Total, 4, int.MaxValue - 1);
    }

    [Fact]
    public void DivergingRun_SaysSo_AndKeepsTheCheckpoint()
    {
        DistillationOptions options =
            Options("diverges") with { LearningRate = 5e6f, CheckpointInterval = TimeSpan.Zero };
        var error = Assert.Throws<TrainingDivergedException>(() => Run(options, new FakeBackbone()));
        Assert.Contains("smaller learning rate", error.Message);
        Assert.True(File.Exists(options.TeacherPath + ".checkpoint"));
    }

    [Fact]
    public void Resume_RefusesOtherOptionsAndMissingOrDamagedCheckpoints()
    {
        DistillationOptions options = Options("other") with { Steps = 50, CheckpointInterval = TimeSpan.Zero };
        using var cancellation = new CancellationTokenSource();
        var stopAtFirstStep = new Watch(progress =>
        {
            if (progress.Phase == DistillationPhase.Steps) cancellation.Cancel();
        });
        Assert.Throws<OperationCanceledException>(
            () => Run(options, new FakeBackbone(), stopAtFirstStep, cancellation.Token));

        DistillationOptions resumed = options with { Resume = true };
        var error = Assert.Throws<ModelFormatException>(() => Run(resumed with { Seed = 2 }, new FakeBackbone()));
        Assert.Contains("seed 2", error.Message);
        error = Assert.Throws<ModelFormatException>(() => Run(resumed, new FakeBackbone("better")));
        Assert.Contains("better", error.Message);
        string checkpoint = options.TeacherPath + ".checkpoint";
        File.WriteAllBytes(checkpoint, File.ReadAllBytes(checkpoint)[..1000]);
        Assert.Throws<ModelFormatException>(() => Run(resumed, new FakeBackbone()));
        File.Delete(checkpoint);
        var missing = Assert.Throws<ArgumentException>(() => Run(resumed, new FakeBackbone()));
        Assert.Contains("nothing to resume", missing.Message);
    }

    [Fact]
    public void UnsuitableBackbones_AreNamed()
    {
        var stride = Assert.Throws<InvalidOperationException>(
            () => Run(Options("stride"), new FakeBackbone { Stride = 4 }));
        Assert.Contains("[128, 24, 24] but the teacher needs a grid of 12 x 12", stride.Message);
        var broken = Assert.Throws<InvalidOperationException>(
            () => Run(Options("nan"), new FakeBackbone { First = float.NaN }));
        Assert.Contains("NaN", broken.Message);
    }

    [Fact]
    public void ImpossibleOptions_AreRefused()
    {
        DistillationOptions options = Options("impossible");
        Assert.All(
            new[]
            {
                options with { Steps = null }, options with { Steps = 0 },
                options with { Duration = TimeSpan.FromHours(1) },
                options with { ViewSize = 50 }, options with { HeldBack = Images }, options with { BatchSize = 0 },
                options with { LearningRate = float.NaN }, options with { ViewsPerImage = 0 },
            },
            wrong => Assert.Throws<ArgumentException>(() => Run(wrong, new FakeBackbone())));
    }

    private static DistillationResult Run(DistillationOptions options, FakeBackbone backbone) =>
        Run(options, backbone, null, TestContext.Current.CancellationToken);

    private static DistillationResult Run(
        DistillationOptions options, FakeBackbone backbone, IProgress<DistillationProgress>? progress,
        CancellationToken cancellation)
    {
        using var backend = new CpuBackend(new CpuOptions { Threads = 2 });
        var images = new ImageSet(Images, i => NaturalTexture.Render(3, i, 96), budget: 1 << 24);
        using var distiller = new TeacherDistiller(backend, backbone, images, "hash", options);
        return distiller.Run(progress, cancellation);
    }

    private DistillationOptions Options(string name) => new()
    {
        TeacherPath = Path.Combine(_folder.Path, name + ".safetensors"),
        CacheFolder = Path.Combine(_folder.Path, "cache"),
        Steps = 5,
        BatchSize = 1,
        ViewSize = 48,
        ViewsPerImage = 2,
        HeldBack = 2,
        EvaluationInterval = 3,
        StatisticsViews = 8,
        Command = "command",
        Licence = "licence",
    };

    /// <summary>Unlike Progress, on the caller's thread.</summary>
    private sealed class Watch(Action<DistillationProgress> report) : IProgress<DistillationProgress>
    {
        public void Report(DistillationProgress value) => report(value);
    }
}
