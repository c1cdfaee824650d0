using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Detection;
using EfficientAD.Networks;
using EfficientAD.Networks.Folding;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu.Fused;

/// <summary>The autoencoder from image to features as a chain of fused layers: strided layers directly, the decoder by
/// filtering forms between interpolations. Unpadded networks.</summary>
internal sealed class FusedAutoencoder<TForm4x4, TForm3x3, TKernels, TVector, TLanes>
    where TForm4x4 : struct, IFilterForm
    where TForm3x3 : struct, IFilterForm
    where TKernels : struct, IProductKernels
    where TLanes : struct, ILanes<TVector>
{
    private const int OutputSize = 56;

    private readonly CpuBackend _backend;
    private readonly IReadOnlyList<ConvolutionLayer> _network;
    private readonly PlanesMemory<TKernels> _memory;
    private readonly int _samples;

    /// <param name="image">[n, 3, 256, 256].</param>
    /// <param name="height">Of the features.</param>
    /// <param name="width">Of the features.</param>
    /// <param name="window">Where the features are those of a tile.</param>
    public FusedAutoencoder(
        CpuBackend backend, Autoencoder network, Tensor image, PlanesMemory<TKernels> memory, int height, int width,
        FeatureWindow? window = null)
    {
        (_backend, _network, _memory, _samples) = (backend, network.Layers, memory, image.Shape.N);
        List<FusedLayer> layers = [];
        ChannelPlanes planes = default;
        (int size, int channels) = (Autoencoder.InputSize, image.Shape.C);
        for (int i = 0; i < _network.Count; i++)
        {
            if (Autoencoder.SizeBefore(i, OutputSize) is { } wanted)
            {
                ChannelPlanes resized = Read(by: i, channels, wanted, out ChannelPlanes inside);
                layers.Add(Resize(planes, (size, size), inside, (wanted, wanted)));
                (planes, size) = (resized, wanted);
            }

            LayerWeights weights = LayerWeights.Of(backend, _network[i]);
            (channels, int outputs) = (weights.Shape.N, _network[i].Geometry.OutputSize(size, weights.Shape.H));
            bool isResized = i + 1 == _network.Count || Autoencoder.SizeBefore(i + 1, OutputSize) is not null;
            ChannelPlanes target;
            ChannelPlanes output = isResized
                ? target = memory.Allocate(channels, outputs, outputs)
                : Read(by: i + 1, channels, outputs, out target);
            layers.Add(i == 0
                ? new ImagePatchLayer<TKernels, TVector, TLanes>(
                    image, weights, _network[i].Geometry, _network[i].Relu, target, Grid(outputs))
                : Convolve(_network[i], planes, weights, target, outputs));
            (planes, size) = (output, outputs);
        }

        Features = planes;
        if ((height, width) != (size, size) || window is not null)
        {
            Features = memory.Allocate(channels, height, width);
            layers.Add(Resize(planes, (size, size), Features, (height, width), window));
        }

        Layers = [.. layers];
    }

    public FusedLayer[] Layers { get; }

    /// <summary>What the last layer leaves, 384 channels.</summary>
    public ChannelPlanes Features { get; }

    private TileGrid Grid(int size) => new(_samples, size, size, 1);

    /// <summary>Planes of this size with the margins of the layer that reads them.</summary>
    /// <param name="inside">Where the first value belongs.</param>
    private ChannelPlanes Read(int by, int channels, int size, out ChannelPlanes inside)
    {
        ConvolutionLayer layer = _network[by];
        int kernel = layer.Weights.Value.Shape.H, padding = layer.Geometry.Padding, padded = size + 2 * padding;
        ChannelPlanes planes = (layer.Geometry.Stride, kernel) switch
        {
            (1, 4) => _memory.Allocate<TForm4x4>(channels, padded, padded),
            (1, 3) => _memory.Allocate<TForm3x3>(channels, padded, padded),
            _ => _memory.Allocate(channels, padded, padded),
        };
        inside = planes.From(padding, padding);
        return planes;
    }

    private FusedLayer Convolve(
        ConvolutionLayer layer, ChannelPlanes input, LayerWeights weights, ChannelPlanes output, int size)
    {
        return (layer.Geometry.Stride, weights.Shape.H) switch
        {
            (1, 4) => Filter<TForm4x4>(),
            (1, 3) => Filter<TForm3x3>(),
            _ => new PlanesPatchLayer<TKernels, TVector, TLanes>(
                input, weights, layer.Geometry.Stride, layer.Relu, output, Grid(size)),
        };

        FilteredLayer<TForm, TKernels, TVector, TLanes> Filter<TForm>()
            where TForm : struct, IFilterForm =>
            new(input, weights, output, _samples, size, size, pool: false, layer.Relu, _backend.Pool);
    }

    private ResizeLayer<TKernels, TVector, TLanes> Resize(
        ChannelPlanes input, (int Height, int Width) from, ChannelPlanes output, (int Height, int Width) to,
        FeatureWindow? window = null) =>
        new(input, from, output, to, _samples, window);
}
