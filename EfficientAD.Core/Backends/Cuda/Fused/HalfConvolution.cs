using EfficientAD.Native;
using EfficientAD.Networks.Folding;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>A half-precision map [samples, height, width, channels], or some of the channels of a larger one.</summary>
/// <param name="Pitch">Channels from pixel to pixel.</param>
internal readonly record struct HalfMap(nint Address, int Height, int Width, int Pitch)
{
    /// <summary>The same from a channel on.</summary>
    public HalfMap From(int channel) => this with { Address = Address + channel * sizeof(ushort) };
}

/// <summary>A convolution from map to map with bias and, if asked for, ReLU, by the kernels that the backend uses: what
/// a plan does where a fusion is switched off.</summary>
internal sealed class HalfConvolution : IDisposable
{
    private const string File = "convolution2d_half";

    private readonly LayerWeights _layer;
    private readonly Convolution2dGeometry _geometry;
    private readonly bool _relu;
    private readonly DeviceBuffer _weights, _bias;
    private readonly CudaKernel _large, _medium;
    private readonly int _multiprocessors;

    public HalfConvolution(
        CudaStream stream, KernelLibrary kernels, LayerWeights layer, Convolution2dGeometry geometry, bool relu)
    {
        (_layer, _geometry, _relu) = (layer, geometry, relu);
        _multiprocessors = stream.Context.Device.Multiprocessors;
        _weights = DeviceArray.Upload<Half>(stream, Pack(layer));
        _bias = DeviceArray.Upload<float>(stream, layer.Bias);
        string prefix = ConvolutionArithmetic.Half.PrefixOf(ConvolutionDirection.Forward);
        _large = kernels.Get(File, prefix + ConvolutionTile.Large.Name);
        _medium = kernels.Get(File, prefix + ConvolutionTile.Medium.Name);
    }

    /// <param name="input">Of as many channels as the layer has inputs, filled up to a multiple of 8.</param>
    public void Launch(CudaStream stream, HalfMap input, int samples, HalfMap output)
    {
        int channels = ConvolutionProduct.Chunked(_layer.Shape.C);
        var shape = new ConvolutionShape(
            new Shape(samples, _layer.Shape.C, input.Height, input.Width), _layer.Shape, _geometry);
        ConvolutionProduct product = ConvolutionProduct.Of(
            ConvolutionDirection.Forward, shape, ConvolutionArithmetic.Half);
        ConvolutionTile tile = Plan(ConvolutionTile.Large).Launch.Grid.X >= _multiprocessors
            ? ConvolutionTile.Large
            : ConvolutionTile.Medium;
        (tile == ConvolutionTile.Large ? _large : _medium).Launch(
            stream, Plan(tile).Launch, input.Address, _weights.Address, _bias.Address, (nint)0, output.Address, samples,
            channels, input.Height, input.Width, _layer.Shape.N, shape.Output.H, shape.Output.W, _layer.Shape.H,
            _layer.Shape.W, _geometry.Stride, _geometry.Padding, _relu ? 1 : 0, input.Pitch, output.Pitch);

        ConvolutionPlan Plan(ConvolutionTile with) => ConvolutionPlan.With(
            with, 1, ConvolutionDirection.Forward, product, ConvolutionArithmetic.Half);
    }

    public void Dispose()
    {
        _weights.Dispose();
        _bias.Dispose();
    }

    /// <summary>[co, k], k = (ky, kx, channel), channels filled up to a multiple of 8 and k to one of 32.</summary>
    private static Half[] Pack(LayerWeights layer)
    {
        int channels = ConvolutionProduct.Chunked(layer.Shape.C), stage = ConvolutionArithmetic.Half.StageDepth;
        int depth = ConvolutionProduct.CeilingOf(channels * layer.Shape.Plane, stage) * stage;
        var packed = new Half[layer.Shape.N * depth];
        for (int i = 0; i < layer.Weights.Length; i++)
        {
            int tap = i % layer.Shape.Plane, channel = i / layer.Shape.Plane % layer.Shape.C;
            packed[i / (int)layer.Shape.SampleCount * depth + tap * channels + channel] = (Half)layer.Weights[i];
        }

        return packed;
    }
}
