using EfficientAD.Backends;
using EfficientAD.Backends.Cuda;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Inspection;
using EfficientAD.Tests.Backends;
using EfficientAD.Tests.Detection;
using EfficientAD.Tests.Training;
using PtxSimulator;

namespace EfficientAD.Tests.Inspection;

/// <summary>Real detectors behind cameras.</summary>
public sealed class InspectionPipelineTests(ModelFixture model) : IClassFixture<ModelFixture>
{
    private const int Size = TinyTask.Size;

    private static readonly CameraOptions Options = new()
    {
        Width = Size,
        Height = Size,
        Format = PixelFormat.Rgb24,
        WhenFull = FullQueue.Wait,
        WaitLimit = TimeSpan.FromMinutes(2),
        WantsMap = true,
    };

    [Fact]
    public void OnTheCpu_ResultsAreThoseOfTheDetector()
    {
        using AnomalyDetector detector = Load();
        DetectionResult[] expected = [.. Enumerable.Range(0, 6).Select(i => detector.Detect(TinyTask.Part(i).View))];
        using var pipeline = new InspectionPipeline();
        CameraStatistics statistics = AssertSame(pipeline, detector, expected);
        Assert.All(
            [statistics.Preprocess, statistics.Compute, statistics.Download],
            histogram => Assert.True(histogram.Quantile(0) > TimeSpan.Zero));
    }

    [Fact]
    public void OnTheSimulator_ResultsAreThoseOfTheCpu()
    {
        using AnomalyDetector cpu = Load();
        DetectionResult expected = cpu.Detect(TinyTask.Part(0).View);
        using CudaBackend backend = new SimulatedGpu(checks: Checks.None).Open();
        using var detector = AnomalyDetector.Load(model.Path, backend);
        using var pipeline = new InspectionPipeline();
        List<float> actual = [];
        InspectionCamera camera = pipeline.AddCamera(
            "top", detector, Options, (in InspectedFrame frame) => actual.AddRange(frame.Result.Map!.Values));
        camera.Push(TinyTask.Part(0).View);
        pipeline.Complete();
        float largest = expected.Map!.Values.Max(MathF.Abs);
        TensorAssert.Close(
            expected.Map.Values, [.. actual], 1e-2 * largest, because: "half precision; the maps are differences");
        Assert.Equal(1, camera.ReadStatistics().Compute.Count);
    }

    [Fact]
    public async Task ProductsComeAndGo_WhileOthersRun()
    {
        using AnomalyDetector lasting = Load();
        float expected = lasting.Detect(TinyTask.Part(3).View).Score;
        using var pipeline = new InspectionPipeline();
        int count = 0;
        InspectionCamera camera = pipeline.AddCamera("lasting", lasting, Options, (in InspectedFrame frame) =>
        {
            Assert.Equal(expected, frame.Result.Score);
            count++;
        });
        Task pushing = Task.Run(
            () =>
            {
                for (int i = 0; i < 20; i++) camera.Push(TinyTask.Part(3).View);
            },
            TestContext.Current.CancellationToken);
        for (int i = 0; i < 2; i++)
        {
            using AnomalyDetector passing = Load();
            AssertSame(pipeline, passing, [passing.Detect(TinyTask.Part(0).View)]);
        }

        await pushing;
        pipeline.Complete();
        Assert.Equal(20, count);
    }

    [Fact]
    public void DetectorThatWasDisposed_MakesFramesInvalidAndEndsNothing()
    {
        using var pipeline = new InspectionPipeline();
        AnomalyDetector detector = Load();
        List<string?> reasons = [];
        InspectionCamera camera = pipeline.AddCamera(
            "top", detector, Options, (in InspectedFrame frame) => reasons.Add(frame.Result.Reason));
        detector.Dispose();
        camera.Push(TinyTask.Part(0).View);
        pipeline.Complete();
        Assert.StartsWith("The detector failed: ", Assert.Single(reasons));
    }

    [Fact]
    public void Disposed_TakesNoCamera()
    {
        using AnomalyDetector detector = Load();
        var pipeline = new InspectionPipeline();
        pipeline.Dispose();
        Assert.Throws<ObjectDisposedException>(() =>
            pipeline.AddCamera("a", detector, Options, (in InspectedFrame _) => { }));
    }

    private static CameraStatistics AssertSame(
        InspectionPipeline pipeline, AnomalyDetector detector, DetectionResult[] expected)
    {
        List<(Verdict Verdict, float Score, float[] Map)> actual = [];
        using InspectionCamera camera = pipeline.AddCamera(
            "top", detector, Options, (in InspectedFrame frame) =>
                actual.Add((frame.Result.Verdict, frame.Result.Score, [.. frame.Result.Map!.Values])));
        for (int i = 0; i < expected.Length; i++) camera.Push(TinyTask.Part(i).View);
        camera.Complete();
        Assert.Equal(expected.Select(result => result.Score), actual.Select(result => result.Score));
        Assert.Equal(expected.Select(result => result.Verdict), actual.Select(result => result.Verdict));
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First.Map!.Values, pair.Second.Map));
        return camera.ReadStatistics();
    }

    private AnomalyDetector Load() => AnomalyDetector.Load(
        model.Path, new DetectorOptions { Device = new(DeviceKind.Cpu), Threads = 1 });
}
