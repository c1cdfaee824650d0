using EfficientAD.Native;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cuda;

/// <summary>Gradients from factors in half precision: the output gradient is scaled by a power of two, which its
/// largest magnitude decides on the device, and rounded into [n, h, w, channels]; results are scaled back.</summary>
internal sealed partial class CudaConvolution
{
    private const string HalfGradientFile = "convolution2d_half_gradient";

    private void InputGradientHalf(in ConvolutionCall call, ConvolutionPlan plan)
    {
        Shape input = call.Input.Shape, weights = call.Weights.Shape, output = call.Output.Shape;
        (nint gradient, nint largest, nint parts) =
            ScaledGradient(call, ConvolutionPlan.PartBytes(input.Count, plan.Splits));
        bool isWhole = plan.Splits == 1;
        nint packed = PackedHalves(
            call.Weights, HalfGradientFile, "convolution2d_half_pack_turned", input.C,
            ConvolutionProduct.Chunked(output.C));
        kernels.Get(HalfGradientFile, plan.Kernel).Launch(
            stream, plan.Launch, gradient, packed, largest, isWhole ? call.Input.Address : parts,
            input.N, input.C, input.H, input.W, output.C, output.H, output.W, weights.H, weights.W,
            call.Geometry.Padding, isWhole ? 1 : 0);
        if (!isWhole) AddParts(plan, parts, call.Input);
    }

    private void WeightGradientHalf(in ConvolutionCall call, ConvolutionPlan plan)
    {
        Shape input = call.Input.Shape, weights = call.Weights.Shape, output = call.Output.Shape;
        int channels = ConvolutionProduct.Chunked(input.C);
        long pixelBytes = Scratch.Align((long)input.N * input.Plane * channels * sizeof(ushort));
        long values = (long)weights.N * weights.Plane * channels;
        (nint gradient, nint largest, nint pixels) =
            ScaledGradient(call, pixelBytes + plan.Splits * values * sizeof(float));
        nint parts = pixels + (nint)pixelBytes;
        PixelsFromPlanes(call.Input, pixels, largest: 0);
        kernels.Get(HalfGradientFile, plan.Kernel).Launch(
            stream, plan.Launch, gradient, pixels, largest, parts,
            input.N, input.C, input.H, input.W, output.C, output.H, output.W, weights.H, weights.W,
            call.Geometry.Stride, call.Geometry.Padding);
        kernels.Get(HalfGradientFile, "convolution2d_half_add_weights").Launch(
            stream, OneThreadEach(values), parts, call.Weights.Address, weights.N, input.C, weights.Plane, plan.Splits);
        BiasGradient(call);
    }

    /// <summary>Scales and rounds the output gradient.</summary>
    /// <param name="bytes">Room that is wanted behind it.</param>
    /// <returns>The pixels, the bits of the largest magnitude, and that room.</returns>
    private (nint Pixels, nint Largest, nint Behind) ScaledGradient(in ConvolutionCall call, long bytes)
    {
        const int valuesOfThread = 16, mostBlocks = 1024;
        Shape output = call.Output.Shape;
        long pixelBytes =
            Scratch.Align((long)output.N * output.Plane * ConvolutionProduct.Chunked(output.C) * sizeof(ushort));
        long wordBytes = Scratch.Align(sizeof(uint));
        nint largest = scratch.Reserve(wordBytes + pixelBytes + bytes), pixels = largest + (nint)wordBytes;
        stream.Fill(0, largest, 1);
        int blocks = (int)Math.Clamp(output.Count / (ThreadsPerBlock * valuesOfThread), 1, mostBlocks);
        kernels.Get(HalfGradientFile, "convolution2d_half_largest").Launch(
            stream, new LaunchShape(new Extent(blocks), new Extent(ThreadsPerBlock)), call.Output.Address, output.Count,
            largest);
        PixelsFromPlanes(call.Output, pixels, largest);
        return (pixels, largest, pixels + (nint)pixelBytes);
    }
}
