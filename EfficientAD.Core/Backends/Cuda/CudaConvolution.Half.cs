using EfficientAD.Native;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cuda;

internal sealed partial class CudaConvolution
{
    private const string HalfFile = "convolution2d_half";

    /// <summary>Rounds the input into [n, h, w, channels] of half precision, and convolves that.</summary>
    private void ForwardHalf(in ConvolutionCall call, ConvolutionPlan plan)
    {
        Shape input = call.Input.Shape, weights = call.Weights.Shape, output = call.Output.Shape;
        int channels = ConvolutionProduct.Chunked(input.C);
        long pixelBytes = Scratch.Align((long)input.N * input.Plane * channels * sizeof(ushort));
        nint pixels = scratch.Reserve(pixelBytes + ConvolutionPlan.PartBytes(output.Count, plan.Splits));
        nint parts = pixels + (nint)pixelBytes;
        PixelsFromPlanes(call.Input, pixels, largest: 0);

        bool isWhole = plan.Splits == 1;
        kernels.Get(HalfFile, plan.Kernel).Launch(
            stream, plan.Launch, pixels,
            PackedHalves(call.Weights, HalfFile, "convolution2d_half_pack", weights.N, channels),
            isWhole ? AddressOf(call.Bias) : 0,
            isWhole ? call.Output.Address : parts, (nint)0, input.N, channels, input.H, input.W,
            output.C, output.H, output.W, weights.H, weights.W, call.Geometry.Stride, call.Geometry.Padding,
            isWhole && call.Relu ? 1 : 0, channels, ConvolutionProduct.Chunked(output.C));
        if (!isWhole) AddParts(parts, plan.Splits, call);
    }

    /// <param name="largest">Where the bits of the largest magnitude stand by which they are scaled; 0 scales
    /// nothing.</param>
    private void PixelsFromPlanes(Tensor planes, nint pixels, nint largest)
    {
        const int TilePixels = 32, TileChannels = 64, RowsOfThreads = 8, MaximumSamples = 65535;
        Shape shape = planes.Shape;
        for (int first = 0; first < shape.N; first += MaximumSamples)
        {
            int samples = Math.Min(MaximumSamples, shape.N - first), channels = ConvolutionProduct.Chunked(shape.C);
            var grid = new Extent(
                ConvolutionProduct.CeilingOf(shape.Plane, TilePixels),
                ConvolutionProduct.CeilingOf(shape.C, TileChannels), samples);
            nint source = planes.Address + (nint)(first * shape.SampleCount * sizeof(float));
            nint destination = pixels + (nint)((long)first * shape.Plane * channels * sizeof(ushort));
            kernels.Get(HalfFile, "convolution2d_half_from_planes").Launch(
                stream, new LaunchShape(grid, new Extent(TilePixels, RowsOfThreads)),
                source, destination, shape.C, shape.Plane, largest);
        }
    }

    /// <summary>The weights as [rows, depth], depth being the taps' channels, padded to whole stages.</summary>
    private nint PackedHalves(Tensor weights, string file, string packer, int rows, int channels)
    {
        Shape shape = weights.Shape;
        int stage = ConvolutionArithmetic.Half.StageDepth;
        int depth = ConvolutionProduct.CeilingOf(channels * shape.Plane, stage) * stage;
        long count = (long)rows * depth;
        nint packed = PackedWeights.Find(
            weights, new PackedOrder(packer), count * sizeof(ushort), stream, out bool isStale);
        if (isStale)
        {
            kernels.Get(file, packer).Launch(
                stream, OneThreadEach(count), weights.Address, packed, shape.N, shape.C, shape.Plane, depth);
        }

        return packed;
    }
}
