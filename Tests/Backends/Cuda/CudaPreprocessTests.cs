using EfficientAD.Backends.Cpu;
using EfficientAD.Backends.Cuda;
using EfficientAD.Imaging;
using EfficientAD.Native;
using EfficientAD.Tensors;
using EfficientAD.Tests.Imaging;

namespace EfficientAD.Tests.Backends.Cuda;

/// <summary>From pixels to the networks' input: the CPU backend's bits, which other tests compare with
/// Pillow's.</summary>
public sealed class CudaPreprocessTests : IDisposable
{
    private static readonly SimulatedGpu Gpu = new();

    private readonly CudaBackend _cuda = Gpu.Open();
    private readonly CpuBackend _cpu = new(new CpuOptions { Threads = 1 });

    public static TheoryData<PixelFormat, ColourAdjustmentKind, float> Images
    {
        get
        {
            var data = new TheoryData<PixelFormat, ColourAdjustmentKind, float>();
            foreach (PixelFormat format in Enum.GetValues<PixelFormat>())
                foreach (ColourAdjustmentKind kind in Enum.GetValues<ColourAdjustmentKind>())
                    data.Add(format, kind, 1.175f);
            data.Add(PixelFormat.Rgb24, ColourAdjustmentKind.Brightness, 2.5f);   // clipped above
            data.Add(PixelFormat.Rgb24, ColourAdjustmentKind.Contrast, -0.5f);    // and below
            data.Add(PixelFormat.Bgr24, ColourAdjustmentKind.Saturation, 0.8125f);
            return data;
        }
    }

    [Theory, MemberData(nameof(Images))]
    public void EveryFormatAndAdjustment_GivesTheBitsOfTheCpu(
        PixelFormat format, ColourAdjustmentKind kind, float factor) =>
        Check(61, 45, padding: 5, format, new ColourAdjustment(kind, factor), 40, 33, 28, 29);

    [Theory]
    [InlineData(1, 1, 1, 1, 1, 1)]          // smallest
    [InlineData(16, 16, 16, 16, 16, 16)]    // nothing changes
    [InlineData(7, 5, 64, 96, 64, 96)]      // grows
    [InlineData(300, 7, 33, 40, 33, 40)]    // shrinks one way, grows the other
    [InlineData(320, 241, 96, 96, 48, 48)]  // twice the input, then its centre
    [InlineData(64, 64, 48, 40, 25, 28)]    // odd margins
    public void EverySize_GivesTheBitsOfTheCpu(
        int width, int height, int resizedHeight, int resizedWidth, int cropHeight, int cropWidth) =>
        Check(
            width, height, padding: 0, PixelFormat.Rgb24, ColourAdjustment.None, resizedHeight, resizedWidth,
            cropHeight, cropWidth);

    [Fact]
    public void ManySizes_AreForgottenAndComputedAgain()
    {
        for (int i = 0; i < 40; i++)
            Check(20 + i % 20, 21, 0, PixelFormat.Grey8, ColourAdjustment.None, 16, 16, 16, 16);
    }

    [Fact]
    public void PreprocessDevice_ReadsAnotherLibrarysMemory()
    {
        const int Width = 61, Height = 45, Stride = 256;
        byte[] pixels = NoiseImage.Bytes(Height * Stride, seed: 3);
        var adjustment = new ColourAdjustment(ColourAdjustmentKind.Contrast, 0.9f);
        using CudaContext context = CudaContext.Open(SimulatedGpu.Driver, Gpu.Ordinal);
        using var stream = new CudaStream(context);
        using var frame = new DeviceBuffer(stream, pixels.Length);
        stream.Upload<byte>(pixels, frame.Address);
        using (var backend = new CudaBackend(context, stream))
        {
            using Tensor output = backend.Allocate(new Shape(1, 3, 33, 40));
            var onDevice = new DeviceImage(frame.Address, Width, Height, Stride, PixelFormat.Rgba32);
            backend.PreprocessDevice(onDevice, adjustment, 33, 40, output);
            var actual = new float[output.Shape.Count];
            backend.Download(output, actual);
            var image = new ImageView(pixels, Width, Height, Stride, PixelFormat.Rgba32);
            TensorAssert.SameBits(OnCpu(image, adjustment, 33, 40, output.Shape), actual, "the input");

            Assert.Throws<ArgumentException>(() => backend.PreprocessDevice(
                onDevice with { Stride = 4 * Width - 1 }, default, 33, 40, output));
            Assert.Throws<ArgumentException>(() => backend.PreprocessDevice(
                onDevice with { Address = 12345 }, default, 33, 40, output));
        }
    }

    [Fact]
    public void WhatFitsNoImage_IsRefusedAsOnTheCpu()
    {
        byte[] pixels = new byte[300];
        using Tensor output = _cuda.Allocate(new Shape(1, 3, 8, 8)), batch = _cuda.Allocate(new Shape(2, 3, 8, 8));
        Assert.Throws<ArgumentException>(() => Preprocess(default, 7, output));  // a crop larger than the image
        Assert.Throws<ArgumentException>(() => Preprocess(default, 8, batch));
        Assert.Throws<ArgumentException>(
            () => Preprocess(new ColourAdjustment(ColourAdjustmentKind.Contrast, float.NaN), 8, output));

        void Preprocess(ColourAdjustment adjustment, int resized, Tensor to) =>
            _cuda.Preprocess(new ImageView(pixels, 10, 10, 30, PixelFormat.Rgb24), adjustment, resized, resized, to);
    }

    public void Dispose()
    {
        _cuda.Dispose();
        _cpu.Dispose();
    }

    private void Check(
        int width, int height, int padding, PixelFormat format, ColourAdjustment adjustment, int resizedHeight,
        int resizedWidth, int cropHeight, int cropWidth)
    {
        int stride = width * ImageView.BytesPerPixelOf(format) + padding;
        byte[] pixels = NoiseImage.Bytes(height * stride, seed: 7);
        var image = new ImageView(pixels, width, height, stride, format);
        var shape = new Shape(1, 3, cropHeight, cropWidth);
        using Tensor output = _cuda.Allocate(shape);
        _cuda.Preprocess(image, adjustment, resizedHeight, resizedWidth, output);
        var actual = new float[shape.Count];
        _cuda.Download(output, actual);
        TensorAssert.SameBits(
            OnCpu(image, adjustment, resizedHeight, resizedWidth, shape), actual, $"{format}, {adjustment}");
    }

    private float[] OnCpu(
        ImageView image, ColourAdjustment adjustment, int resizedHeight, int resizedWidth, Shape shape)
    {
        using Tensor output = _cpu.Allocate(shape);
        _cpu.Preprocess(image, adjustment, resizedHeight, resizedWidth, output);
        var expected = new float[shape.Count];
        _cpu.Download(output, expected);
        return expected;
    }
}
