using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Backends.Cuda;
using EfficientAD.Backends.Cuda.Fused;
using EfficientAD.Imaging;
using EfficientAD.Native;
using EfficientAD.Tensors;
using EfficientAD.Tests.Imaging;
using EfficientAD.Tests.Native;

namespace EfficientAD.Tests.Backends.Cuda.Fused;

/// <summary>Frames to half-precision inputs: the bytes that the CPU backend resizes to, which other tests compare with
/// Pillow's.</summary>
public sealed class FramePreprocessingTests : IDisposable
{
    private readonly SimulatedContext _gpu = new();
    private readonly KernelLibrary _kernels;
    private readonly CpuBackend _cpu = new(new CpuOptions { Threads = 1 });

    public FramePreprocessingTests() => _kernels = new KernelLibrary(_gpu.Context);

    [Theory]
    [InlineData(1, 1, 5, 7)]          // smallest, grows
    [InlineData(40, 33, 33, 40)]      // nothing changes
    [InlineData(300, 7, 33, 41)]      // shrinks one way, grows the other; odd width
    [InlineData(61, 900, 37, 35)]     // a tile takes more source rows than are staged at a time
    public void EverySize_HasTheBytesOfTheCpu(int width, int height, int inputHeight, int inputWidth) =>
        Check(width, height, padding: 0, PixelFormat.Rgb24, samples: 1, (inputHeight, inputWidth));

    [Theory]
    [InlineData(PixelFormat.Rgb24)]
    [InlineData(PixelFormat.Bgr24)]
    [InlineData(PixelFormat.Rgba32)]
    [InlineData(PixelFormat.Bgra32)]
    [InlineData(PixelFormat.Grey8)]
    public void EveryFormatAndSample_HasTheBytesOfTheCpuInBothSizes(PixelFormat format) =>
        Check(61, 45, padding: 5, format, samples: 3, (33, 39), (56, 20));

    public void Dispose()
    {
        _kernels.Dispose();
        _gpu.Dispose();
        _cpu.Dispose();
    }

    private void Check(
        int width, int height, int padding, PixelFormat format, int samples,
        params (int Height, int Width)[] inputs)
    {
        int stride = width * ImageView.BytesPerPixelOf(format) + padding;
        byte[] frames = NoiseImage.Bytes(samples * height * stride, seed: 7);
        using DeviceBuffer memory = DeviceArray.Upload<byte>(_gpu.Stream, frames);
        DeviceBuffer[] outputs =
        [
            .. inputs.Select(size =>
                new DeviceBuffer(_gpu.Stream, HalfImage.Bytes(samples, size.Height, size.Width))),
        ];
        HalfImage[] targets =
            [.. inputs.Zip(outputs, (size, to) => new HalfImage(to.Address, size.Height, size.Width))];
        using (var preprocessing = new FramePreprocessing(_gpu.Stream, _kernels, height, width, targets))
        {
            preprocessing.Launch(
                _gpu.Stream, new DeviceImage(memory.Address, width, height, stride, format), height * stride, samples);
        }

        for (int target = 0; target < targets.Length; target++)
        {
            for (int sample = 0; sample < samples; sample++)
            {
                var frame = new ImageView(frames.AsSpan(sample * height * stride), width, height, stride, format);
                CheckSample(targets[target], sample, frame);
            }

            outputs[target].Dispose();
        }
    }

    private void CheckSample(HalfImage target, int sample, ImageView frame)
    {
        (int height, int width, int pitch) = (target.Height, target.Width, target.Pitch);
        var actual = new Half[height * pitch * HalfImage.Channels];
        _gpu.Stream.Download<Half>(target.Address + sample * actual.Length * sizeof(ushort), actual);
        using Tensor output = _cpu.Allocate(new Shape(1, 3, height, width));
        _cpu.Preprocess(frame, ColourAdjustment.None, height, width, output);
        var normalized = new float[output.Shape.Count];
        _cpu.Download(output, normalized);
        for (int i = 0; i < actual.Length; i++)
        {
            int channel = i % 4, x = i / 4 % pitch, y = i / 4 / pitch;
            float expected = x >= width ? 0 : channel == 3 ? 1 : ByteOf(normalized, channel, y * width + x) / 256f;
            Assert.True(
                (float)actual[i] == expected,
                $"sample {sample}, ({x}, {y}), channel {channel}: {actual[i]}, not {expected}.");
        }

        float ByteOf(float[] values, int channel, int pixel)
        {
            float normalised = values[channel * height * width + pixel];
            return MathF.Round(255 * (normalised * Preprocessing.Deviation[channel] + Preprocessing.Mean[channel]));
        }
    }
}
