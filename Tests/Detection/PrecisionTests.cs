using EfficientAD.Backends.Cpu;
using EfficientAD.Backends.Cuda;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Networks;
using EfficientAD.Networks.Quantization;
using EfficientAD.Tests.Imaging;
using EfficientAD.Tests.Native;
using EfficientAD.Tests.Training;
using EfficientAD.Training;
using PtxSimulator;
using PtxSimulator.Driver;

namespace EfficientAD.Tests.Detection;

/// <summary>Detection in numbers of 8 bits: what calibration finds, what a detector then does, and when it
/// refuses.</summary>
public sealed class PrecisionTests(ModelFixture model) : IClassFixture<ModelFixture>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Comparison_TellsLayersMapsAndScores()
    {
        EightBitFindings findings = Calibrate();
        Assert.Equal(["int8", "fp8"], findings.Reports.Select(report => report.Precision));
        (PrecisionReport int8, PrecisionReport fp8) = (findings.Reports[0], findings.Reports[1]);
        Assert.Equal(
            ["teacher.conv1", "teacher.conv2", "teacher.conv3", "student.conv1", "student.conv2", "student.conv3"],
            int8.Layers.Select(layer => layer.Layer));
        Assert.All(int8.Layers.Zip(fp8.Layers), layers =>
        {
            Assert.InRange(layers.First.RelativeError, 1e-3, 0.05);  // 8 bits of a map with peaks
            Assert.InRange(layers.Second.RelativeError, 0.01, 0.1);  // 4 bits of significand
        });
        // Only errors of the layers before can push a value beyond what these very images gave.
        Assert.All(int8.Layers, layer => Assert.InRange(layer.Saturated, 0, 1e-3));
        Assert.Equal((2, true), (int8.Parity.Images, int8.Parity is { ScoreShift: > 0, MapShift: > 0 }));
        Assert.Equal((int8.Parity, fp8.Parity), (findings.Information.Int8, findings.Information.Fp8));
    }

    [Fact]
    public void Model_KeepsWhatCalibrationFound()
    {
        EightBitFindings findings = Calibrate();
        string path = Save(findings, findings.Information.Int8);
        using ModelFile file = ModelFile.Open(path);
        Assert.Equal(
            (findings.Information.Int8, findings.Information.Fp8), (file.Information.Int8, file.Information.Fp8));
        using var cpu = new CpuBackend(new CpuOptions { Threads = 2 });
        using DetectionNetworks networks = file.Load(cpu);
        HiddenActivations read = file.LoadActivations(networks)!;
        foreach ((MapActivations expected, MapActivations actual) in
            findings.Activations.Teacher.Concat(findings.Activations.Student).Zip(read.Teacher.Concat(read.Student)))
        {
            Assert.Equal(expected.Largest, actual.Largest);
            Assert.Equal(expected.Means, actual.Means);
        }

        using ModelFile without = ModelFile.Open(model.Path);
        Assert.Null(without.LoadActivations(networks));
        Assert.Null(without.Information.Int8);
    }

    [Fact]
    public void Detector_ComputesAsTheCpuRounds()
    {
        EightBitFindings findings = Calibrate();
        string path = Save(findings, new PrecisionParity(8, 0, 0));
        using SimulatedContext simulated = Simulated();
        using CudaBackend backend = Open(simulated, CudaPrecision.Int8);
        using var detector = AnomalyDetector.Load(path, backend);
        Assert.Equal((null, backend.Name), (detector.Fallback, detector.Processor));
        RgbImage part = TinyTask.Part(50);
        DetectionResult result = detector.Detect(part.View);

        using ModelFile file = ModelFile.Open(path);
        using var cpu = new CpuBackend(new CpuOptions { Threads = 2 });
        using DetectionNetworks networks = file.Load(cpu);
        ModelInformation information = file.Information;
        using var plan = new DetectionPlan(
            networks, information.MapOrder, information.InputHeight, information.InputWidth, DetectionMode.Plain,
            batch: 1, information.Fit, tile: 0, shared: null, window: null,
            new QuantizedNetworks(networks, findings.Activations, EightBits.Int8));
        plan.ComputeMaps(part.View);
        var expected = new float[part.Width * part.Height];
        float score = plan.Combine(information.Scaling, part.Height, part.Width, expected);
        float largest = expected.Max(MathF.Abs);
        TensorAssert.Close(
            expected, result.Map!.Values, 0.15 * largest,
            because: "where the device's first layer, of halves, takes the number beside, scaling magnifies what is " +
                "left of this student's difference from its teacher; FusedCheckTests compare more closely");
        Assert.Equal(score, result.Score, 0.15f * largest);
        string[] kernels = [.. SimulatedDriver.Launches(simulated.Ordinal).Select(launch => launch.Kernel)];
        string[] expectedKernels =
            ["fused_first_int8", "fused_convolution_int8_pool", "fused_convolution_int8_relu", "fused_last_int8"];
        foreach (string kernel in expectedKernels)
            Assert.Contains(kernels, name => name.StartsWith(kernel, StringComparison.Ordinal));
    }

    [Fact]
    public void ModelThatWasNotCalibratedForIt_ComputesInHalfPrecision()
    {
        using SimulatedContext simulated = Simulated();
        using CudaBackend backend = Open(simulated, CudaPrecision.Int8);
        using var detector = AnomalyDetector.Load(model.Path, backend);
        Assert.StartsWith(
            "The model was not calibrated for int8: run efficientad calibrate --eight-bits", detector.Fallback);
        Assert.EndsWith("It computes in half precision instead, which takes longer.", detector.Fallback);
        Assert.Equal(backend.Name, detector.Processor);
    }

    [Fact]
    public void ModelWhoseScoresItMoves_ComputesInHalfPrecision()
    {
        EightBitFindings findings = Calibrate();
        string path = Save(findings, new PrecisionParity(9, findings.Information.Calibration.Scale, 0));
        using SimulatedContext simulated = Simulated();
        using CudaBackend backend = Open(simulated, CudaPrecision.Int8);
        using var detector = AnomalyDetector.Load(path, backend);
        Assert.StartsWith("int8 moves scores of 9 good images by up to ", detector.Fallback);
        Assert.Contains(
            "1.00 of their scores' standard deviation, and 0.25 is allowed. It computes in half", detector.Fallback);
    }

    [Theory]
    [InlineData(0.49f, 1.9f, null)]
    [InlineData(0.51f, 0, "scores")]
    [InlineData(float.MaxValue, 0, "scores")]  // what is no number becomes this
    [InlineData(0.1f, 2.1f, "maps")]
    public void Bound_IsInStandardDeviationsOfGoodScores(float score, float map, string? refused)
    {
        string? fault = new PrecisionParity(8, score, map).FindFault("int8", new Calibration(9, Scale: 2, 0.01f, 20));
        if (refused is null) Assert.Null(fault);
        else Assert.StartsWith($"int8 moves {refused} of 8 good images by up to ", fault);
    }

    [Fact]
    public void FewImages_AreNotEnough() => Assert.StartsWith(
        "fp8 was compared on 7 good images only, and 8 are needed",
        new PrecisionParity(7, 0, 0).FindFault("fp8", new Calibration(9, Scale: 2, 0.01f, 20)));

    public void Dispose() => _folder.Dispose();

    private static SimulatedContext Simulated() =>
        new(options: new SimulatedDeviceOptions { Checks = Checks.None, Counters = false });

    private static CudaBackend Open(SimulatedContext simulated, CudaPrecision precision) =>
        new(simulated.Context, simulated.Stream, new CudaOptions { IsTrusted = true, Precision = precision });

    private EightBitFindings Calibrate()
    {
        string[] images = [.. Enumerable.Range(0, 2).Select(i =>
        {
            string path = Path.Combine(_folder.Path, $"{i}.png");
            ImageWriter.WritePng(path, TinyTask.Part(i));
            return path;
        })];
        using ModelFile file = ModelFile.Open(model.Path);
        var options = new CpuOptions { Threads = 2 };
        using var cpu = new CpuBackend(options);
        using DetectionNetworks networks = file.Load(cpu);
        return EightBitCalibration.Run(networks, file.Information, ImageSet.Of(images, budget: 0), options)!;
    }

    private string Save(EightBitFindings findings, PrecisionParity? int8)
    {
        string path = Path.Combine(_folder.Path, "calibrated.safetensors");
        using ModelFile file = ModelFile.Open(model.Path);
        using var cpu = new CpuBackend(new CpuOptions { Threads = 2 });
        using DetectionNetworks networks = file.Load(cpu);
        ModelFile.Save(path, findings.Information with { Int8 = int8 }, networks, pooled: null, findings.Activations);
        return path;
    }
}
