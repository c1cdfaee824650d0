using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Backends.Cuda;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Networks;
using EfficientAD.Tensors;
using EfficientAD.Tests.Backends;
using EfficientAD.Tests.Imaging;
using EfficientAD.Tests.Training;
using PtxSimulator;

namespace EfficientAD.Tests.Detection;

/// <summary>Products that share a teacher give the bits of detectors by themselves.</summary>
public sealed class ProductSetTests(ModelFixture model) : IClassFixture<ModelFixture>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Theory, InlineData(DetectionMode.Fast), InlineData(DetectionMode.Precise), InlineData(DetectionMode.Plain)]
    public void ProductsOfOneTeacher_ShareItAndGiveTheBitsOfDetectorsByThemselves(DetectionMode mode)
    {
        var options = new DetectorOptions { Device = new(DeviceKind.Cpu), Threads = 2, Mode = mode };
        string[] paths = [model.Path, Variant("b", teacher: 1, student: 5), Variant("c", teacher: 9, student: 2)];
        DetectionResult[] expected = [.. paths.Select(path => Alone(path, TinyTask.Part(3), options))];
        Assert.Equal(3, expected.Select(result => result.Score).Distinct().Count());

        using var set = new ProductSet(options);
        AnomalyDetector[] products = [.. paths.Select(set.Load)];
        Assert.Equal(2, set.Teachers);
        var results = new DetectionResult[3];
        AnomalyMap[] maps = [.. products.Select(_ => new AnomalyMap(TinyTask.Size, TinyTask.Size))];
        for (int i = 0; i < 2; i++) set.Detect(TinyTask.Part(3 - i).View, products, [], results);
        set.Detect(TinyTask.Part(3).View, products, maps, results);
        AssertSame(expected, results);
        Assert.Equal(maps, results.Select(result => result.Map));
        AssertSame(expected, [.. products.Select(product => product.Detect(TinyTask.Part(3).View))]);

        // The order of the products does not matter, nor who else is loaded.
        products[1].Dispose();
        Assert.Equal(2, set.Teachers);
        set.Detect(TinyTask.Part(3).View, [products[2], products[0]], [], results.AsSpan(0, 2));
        Assert.Equal([expected[2].Score, expected[0].Score], results[..2].Select(result => result.Score));
        products[0].Dispose();
        Assert.Equal(1, set.Teachers);
        Assert.Equal(expected[2].Score, products[2].Detect(TinyTask.Part(3).View).Score);
        products[2].Dispose();
        Assert.Equal(0, set.Teachers);
    }

    [Fact]
    public void OnTheSimulator_ResultsAreThoseOfTheCpu()
    {
        string[] paths = [model.Path, Variant("b", teacher: 1, student: 5)];
        RgbImage part = TinyTask.Part(3, spot: (30, 34));  // its score is far from zero
        using CudaBackend backend = new SimulatedGpu(checks: Checks.None).Open();
        using var set = new ProductSet(backend);
        AnomalyDetector[] products = [.. paths.Select(set.Load)];
        Assert.Equal(1, set.Teachers);
        var results = new DetectionResult[2];
        set.Detect(part.View, products, [], results);
        for (int i = 0; i < 2; i++)
        {
            float expected = Alone(paths[i], part, new DetectorOptions { Device = new(DeviceKind.Cpu) }).Score;
            Assert.Equal(expected, results[i].Score, 2e-2f * Math.Abs(expected));  // half precision
            products[i].Dispose();
        }
    }

    [Fact]
    public void BlankFrame_IsInvalidForAll()
    {
        using var set = new ProductSet(new DetectorOptions { Device = new(DeviceKind.Cpu) });
        using AnomalyDetector one = set.Load(model.Path), two = set.Load(model.Path);
        var results = new DetectionResult[2];
        set.Detect(new RgbImage(TinyTask.Size, TinyTask.Size).View, [one, two], [], results);
        Assert.All(results, result => Assert.StartsWith("The picture is blank", result.Reason));
    }

    [Fact]
    public void WrongArguments_AreRefused()
    {
        using var set = new ProductSet(new DetectorOptions { Device = new(DeviceKind.Cpu) });
        using AnomalyDetector stranger = AnomalyDetector.Load(model.Path), own = set.Load(model.Path);
        var result = new DetectionResult[1];
        RgbImage part = TinyTask.Part(1);
        Assert.Throws<ArgumentException>(() => set.Detect(part.View, [stranger], [], result));
        Assert.Throws<ArgumentException>(() => set.Detect(part.View, [own], [], []));
        Assert.Throws<ArgumentException>(() => set.Detect(part.View, [own], [null, null], result));
        Assert.Throws<ArgumentException>(() => set.Detect(part.View, [own], [new AnomalyMap(3, 3)], result));
        own.Dispose();
        Assert.Throws<ObjectDisposedException>(() => set.Detect(part.View, [own], [], result));
    }

    public void Dispose() => _folder.Dispose();

    private static DetectionResult Alone(string path, RgbImage image, DetectorOptions options)
    {
        using AnomalyDetector detector = AnomalyDetector.Load(path, options);
        return detector.Detect(image.View);
    }

    private static void AssertSame(DetectionResult[] expected, DetectionResult[] actual)
    {
        Assert.Equal(expected.Select(result => result.Score), actual.Select(result => result.Score));
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First.Map!.Values, pair.Second.Map!.Values));
    }

    /// <summary>Another product: the fixture's model with another student, and with another teacher unless it is
    /// 1.</summary>
    private string Variant(string name, ulong teacher, ulong student)
    {
        string path = Path.Combine(_folder.Path, $"{name}.safetensors");
        using var backend = new CpuBackend(new CpuOptions { Threads = 1 });
        using ModelFile file = ModelFile.Open(model.Path);
        using DetectionNetworks networks = file.Load(backend);
        if (teacher != 1) networks.Teacher.Initialize(new CounterRandom(teacher, 0));
        networks.Student.Initialize(new CounterRandom(student, 0));
        ModelFile.Save(path, file.Information, networks);
        return path;
    }
}
