using EfficientAD.Native;
using EfficientAD.Networks;
using EfficientAD.Networks.Folding;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>The autoencoder but for its last layer, in eight launches: half precision with sums in float32.</summary>
internal sealed class FusedAutoencoder : DecoderSource
{
    private const int FirstChannels = 32;
    private const int FirstSide = 64, SecondSide = 16, MiddleSide = 9;
    private const int FirstTiles = 64, SecondTiles = 16, FirstThreads = 128, SecondThreads = 256, MiddleThreads = 512;
    private const int FirstLayersOfDecoder = 6, DecoderThreads = 128, TileColumns = 16, LargeRows = 8, SmallRows = 2;

    // Structures of fused_encoder.cu and fused_middle.cu.
    private const int FirstSharedBytes = 38 * 38 * 8 + 18 * 18 * 64;
    private const int SecondSharedBytes = 22 * 22 * 64 + 10 * 10 * 128;
    private const int MiddleSharedBytes = 18 * 18 * 128 + 8 * 8 * 128 + (64 + 16 * 64 + 16 * 64) * sizeof(float);

    // What the map is resized to before each step of the decoder that has a launch of its own.
    private static readonly int[] StepSides = [15, 32, 63, 127];

    private readonly CudaStream _stream;
    private readonly KernelLibrary _kernels;
    private readonly (DeviceBuffer Weights, DeviceBuffer Bias)[] _layers;
    private readonly DeviceBuffer _first, _second, _middle, _hidden;
    private readonly DeviceBuffer[] _steps;

    /// <param name="samples">At most so many at a time.</param>
    public FusedAutoencoder(
        CudaStream stream, KernelLibrary kernels, IBackend backend, Autoencoder autoencoder, int samples)
    {
        (_stream, _kernels) = (stream, kernels);
        _layers = [.. autoencoder.Layers.SkipLast(1).Select((layer, i) => Upload(LayerWeights.Of(backend, layer), i))];
        _first = Halves(samples, FirstSide, FirstSide, FirstChannels);
        _second = Halves(samples, SecondSide, SecondSide, Channels);
        _middle = Halves(samples, MiddleSide, MiddleSide, Channels);
        _steps = [.. StepSides.Select(side => Halves(samples, side + 1, side + 1, Channels))];
        _hidden = Halves(samples, HiddenSide, HiddenSide, Channels);
        stream.Fill(0, _hidden.Address, _hidden.Bytes / sizeof(uint)); // the zeros around it stay so
    }

    public override int Launches => 4 + StepSides.Length;

    public override nint Hidden => _hidden.Address;

    public override void Launch(CudaStream stream, HalfImage image, int samples)
    {
        Get("fused_encoder", "fused_encoder_first").Launch(
            stream, new LaunchShape(new Extent(FirstTiles, samples), new Extent(FirstThreads), FirstSharedBytes),
            image.Address, Weights(0), Bias(0), Weights(1), Bias(1), _first.Address);
        Get("fused_encoder", "fused_encoder_second").Launch(
            stream, new LaunchShape(new Extent(SecondTiles, samples), new Extent(SecondThreads), SecondSharedBytes),
            _first.Address, Weights(2), Bias(2), Weights(3), Bias(3), _second.Address);
        Get("fused_middle", "fused_middle").Launch(
            stream, new LaunchShape(new Extent(samples), new Extent(MiddleThreads), MiddleSharedBytes),
            _second.Address, Weights(4), Bias(4), Weights(5), Bias(5), Weights(6), Bias(6), Weights(7), Bias(7),
            _middle.Address);
        (nint input, int inputSide) = (_middle.Address, MiddleSide);
        for (int i = 0; i < StepSides.Length; i++)
        {
            int side = StepSides[i], outputSide = side + 1;
            LaunchStep(
                stream, 4, input, inputSide, side, 8 + i, _steps[i].Address, outputSide, outputSide,
                outputSide * outputSide, samples);
            (input, inputSide) = (_steps[i].Address, outputSide);
        }

        LaunchStep(
            stream, 3, input, inputSide, OutputSide, 12, Inner, OutputSide, HiddenSide, HiddenSide * HiddenSide,
            samples);
    }

    public override void Dispose()
    {
        foreach ((DeviceBuffer weights, DeviceBuffer bias) in _layers)
        {
            weights.Dispose();
            bias.Dispose();
        }

        foreach (DeviceBuffer buffer in (DeviceBuffer[])[_first, _second, _middle, _hidden, .. _steps])
            buffer.Dispose();
    }

    /// <summary>Large tiles where there are enough of them to keep the device busy.</summary>
    private void LaunchStep(
        CudaStream stream, int kernelSize, nint input, int inputSide, int side, int layer, nint output, int outputSide,
        int rowPitch, int samplePitch, int samples)
    {
        int across = ConvolutionProduct.CeilingOf(outputSide, TileColumns);
        int largeDown = ConvolutionProduct.CeilingOf(outputSide, LargeRows);
        bool isLarge = across * largeDown * samples >= _stream.Context.Device.Multiprocessors;
        int down = isLarge ? largeDown : ConvolutionProduct.CeilingOf(outputSide, SmallRows);
        string kernel = (kernelSize, isLarge) switch
        {
            (4, true) => "fused_decoder_step4_large",
            (4, false) => "fused_decoder_step4_small",
            (_, true) => "fused_decoder_step3_large",
            _ => "fused_decoder_step3_small",
        };
        Get("fused_decoder", kernel).Launch(
            stream, new LaunchShape(new Extent(across, down, samples), new Extent(DecoderThreads)),
            input, inputSide, side, Weights(layer), Bias(layer), output, outputSide, rowPitch, samplePitch);
    }

    /// <summary>The code and the decoder's first layer are read by rows and taps, all others as fragments.</summary>
    private (DeviceBuffer Weights, DeviceBuffer Bias) Upload(LayerWeights layer, int index)
    {
        if (index == 0) layer = layer.ForBytes(bordered: true);
        Half[] weights = index switch
        {
            FirstLayersOfDecoder - 1 => HalfWeights.Rows(layer),
            FirstLayersOfDecoder => HalfWeights.Taps(layer),
            _ => HalfWeights.Fragments(layer),
        };
        return (DeviceArray.Upload<Half>(_stream, weights), DeviceArray.Upload<float>(_stream, layer.Bias));
    }

    private DeviceBuffer Halves(int samples, int height, int width, int channels) =>
        new(_stream, (long)samples * height * width * channels * sizeof(ushort));

    private CudaKernel Get(string file, string name) => _kernels.Get(file, name);

    private nint Weights(int layer) => _layers[layer].Weights.Address;

    private nint Bias(int layer) => _layers[layer].Bias.Address;
}
