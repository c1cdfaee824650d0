using EfficientAD.Backends;
using EfficientAD.Backends.Cuda;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Native;
using EfficientAD.Tests.Native;
using EfficientAD.Tests.Training;
using PtxSimulator;

namespace EfficientAD.Tests.Detection;

/// <summary>A detector in an application that has a CUDA context, a stream and its frames on the device.</summary>
public sealed class ForeignContextTests(ModelFixture model) : IClassFixture<ModelFixture>
{
    private const int Size = TinyTask.Size, Padding = 20, Stride = 3 * Size + Padding;

    [Fact]
    public void FramesOfTheApplication_AreJudgedAsOnTheCpu()
    {
        using var application = new SimulatedContext(
            options: new SimulatedDeviceOptions { Checks = Checks.None, Counters = false });
        RgbImage part = TinyTask.Part(50);
        using var frame = new DeviceBuffer(application.Stream, Stride * Size);
        application.Stream.Upload<byte>(Rows(part), frame.Address);

        using var cpu = AnomalyDetector.Load(model.Path, new DetectorOptions { Device = new(DeviceKind.Cpu) });
        AnomalyMap expected = new(Size, Size), actual = new(Size, Size);
        DetectionResult onCpu = cpu.Detect(part.View, expected);
        using (var context = CudaContext.FromHandle(application.Driver, application.Context.Handle))
        using (var stream = CudaStream.FromHandle(context, application.Stream.Handle))
        using (var backend = new CudaBackend(context, stream, new CudaOptions { IsTrusted = true }))
        using (var detector = AnomalyDetector.Load(model.Path, backend))
        {
            Assert.Equal(backend.Name, detector.Processor);
            DetectionResult onDevice =
                detector.Detect(new DeviceImage(frame.Address, Size, Size, Stride, PixelFormat.Rgb24), actual);
            float largest = expected.Values.ToArray().Max(MathF.Abs);
            TensorAssert.Close(
                expected.Values, actual.Values, 2e-2 * largest,
                because: "half precision, and a student so close to its teacher that scaling magnifies what is left");
            Assert.Equal(onCpu.Score, onDevice.Score, 2e-2f * largest);
            Assert.Equal(onCpu.Verdict, onDevice.Verdict);
            Assert.Equal(
                Verdict.Invalid,
                detector.Detect(new DeviceImage(frame.Address, 8, 8, Stride, PixelFormat.Rgb24), null).Verdict);
            Assert.Throws<ArgumentException>(
                () => detector.Detect(new DeviceImage(0, Size, Size, Stride, PixelFormat.Rgb24), null));
        }

        byte[] back = new byte[Stride];
        application.Stream.Download(frame.Address, back);
        Assert.Equal(Rows(part)[..Stride], back);
    }

    [Fact]
    public void ImagesOfSeveralSizes_AreJudgedAsOneByOne()
    {
        using var application = new SimulatedContext(
            options: new SimulatedDeviceOptions { Checks = Checks.None, Counters = false });
        using var backend = new CudaBackend(
            application.Context, application.Stream, new CudaOptions { IsTrusted = true });
        using var detector = AnomalyDetector.Load(
            model.Path, backend, new DetectorOptions { Batch = 2, AcceptAnySize = true });
        RgbImage one = TinyTask.Part(50), other = TinyTask.Part(51), blank = new(Size, Size);
        RgbImage wide = PillowResize.Resize(one.View, Size, Size + 9);
        DetectionResult[] expected = [.. new[] { one, other, wide }.Select(image => detector.Detect(image.View))];
        DetectionResult[] actual = detector.Detect([one, blank, other, one, wide]);
        AssertSame(expected[0], actual[0]);
        Assert.Equal(Verdict.Invalid, actual[1].Verdict);
        AssertSame(expected[1], actual[2]);
        AssertSame(expected[0], actual[3]);
        AssertSame(expected[2], actual[4]);

        static void AssertSame(DetectionResult expected, DetectionResult actual)
        {
            Assert.Equal(expected.Score, actual.Score);
            Assert.Equal(expected.Map!.Values, actual.Map!.Values);
        }
    }

    [Fact]
    public void FrameOnTheDevice_NeedsADetectorThere()
    {
        using var detector = AnomalyDetector.Load(model.Path, new DetectorOptions { Device = new(DeviceKind.Cpu) });
        var error = Assert.Throws<InvalidOperationException>(
            () => detector.Detect(new DeviceImage(256, Size, Size, Stride, PixelFormat.Rgb24), null));
        Assert.StartsWith(
            "An image on a CUDA device needs a detector there; this one computes on CPU, ", error.Message);
    }

    private static byte[] Rows(RgbImage image)
    {
        byte[] rows = new byte[Stride * Size];
        for (int y = 0; y < Size; y++) image.View.Row(y).CopyTo(rows.AsSpan(y * Stride));
        return rows;
    }
}
