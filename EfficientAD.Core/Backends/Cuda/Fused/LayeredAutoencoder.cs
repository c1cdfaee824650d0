using EfficientAD.Native;
using EfficientAD.Networks;
using EfficientAD.Networks.Folding;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>The same as <see cref="FusedAutoencoder"/> layer by layer, each resize and each convolution a launch: what
/// its fusions are compared with.</summary>
internal sealed class LayeredAutoencoder : DecoderSource
{
    private const int WidenedChannels = 8;

    private readonly HalfLayers _layers;
    private readonly HalfConvolution[] _convolutions;
    private readonly HalfMap[] _maps;        // what each layer leaves
    private readonly HalfMap?[] _resized;    // what it reads, where that is resized first
    private readonly List<DeviceBuffer> _memory = [];
    private readonly HalfMap _image;

    public LayeredAutoencoder(
        CudaStream stream, KernelLibrary kernels, IBackend backend, Autoencoder autoencoder, int samples)
    {
        _layers = new HalfLayers(kernels);
        ConvolutionLayer[] layers = [.. autoencoder.Layers.SkipLast(1)];
        _convolutions = new HalfConvolution[layers.Length];
        (_maps, _resized) = (new HalfMap[layers.Length], new HalfMap?[layers.Length]);
        int side = Autoencoder.InputSize;
        _image = NewMap(stream, samples, side, WidenedChannels);
        for (int i = 0; i < layers.Length; i++)
        {
            LayerWeights weights = LayerWeights.Of(backend, layers[i]);
            if (i == 0) weights = weights.ForBytes(bordered: true);
            if (Autoencoder.SizeBefore(i, OutputSide) is { } size)
            {
                _resized[i] = NewMap(stream, samples, size, Channels);
                side = size;
            }

            _convolutions[i] = new HalfConvolution(stream, kernels, weights, layers[i].Geometry, layers[i].Relu);
            side = layers[i].Geometry.OutputSize(side, weights.Shape.H);
            _maps[i] = NewMap(stream, samples, side, weights.Shape.N);
        }

        Hidden = NewMap(stream, samples, HiddenSide, Channels).Address;
        stream.Fill(0, Hidden, _memory[^1].Bytes / sizeof(uint));
    }

    public override int Launches => 2 + _convolutions.Length + _resized.Count(map => map is not null);

    public override nint Hidden { get; }

    public override void Launch(CudaStream stream, HalfImage image, int samples)
    {
        _layers.Widen(stream, image, samples, _image.Address);
        HalfMap map = _image;
        for (int i = 0; i < _convolutions.Length; i++)
        {
            if (_resized[i] is { } resized)
            {
                _layers.Resize(
                    stream, map, samples, resized.Height, resized.Address, resized.Width,
                    resized.Height * resized.Width);
                map = resized;
            }

            _convolutions[i].Launch(stream, map, samples, _maps[i]);
            map = _maps[i];
        }

        _layers.Resize(stream, map, samples, OutputSide, Inner, HiddenSide, HiddenSide * HiddenSide);
    }

    public override void Dispose()
    {
        foreach (HalfConvolution convolution in _convolutions) convolution.Dispose();
        foreach (DeviceBuffer buffer in _memory) buffer.Dispose();
    }

    private HalfMap NewMap(CudaStream stream, int samples, int side, int channels)
    {
        _memory.Add(new DeviceBuffer(stream, (long)samples * side * side * channels * sizeof(ushort)));
        return new HalfMap(_memory[^1].Address, side, side, channels);
    }
}
