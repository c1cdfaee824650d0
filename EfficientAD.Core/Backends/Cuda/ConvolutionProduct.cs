using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cuda;

/// <summary>A convolution as the matrix product that a kernel computes: [rows, depth] x [depth, columns].</summary>
/// <param name="Residues">So many products, independent of each other: with a stride the input gradient falls into one
/// per residue of the kernel's taps.</param>
/// <param name="Written">Values of the result.</param>
internal readonly record struct ConvolutionProduct(int Rows, int Columns, int Depth, int Residues, long Written)
{
    /// <exception cref="ArgumentException">It is larger than the kernels' 32-bit indices reach.</exception>
    public static ConvolutionProduct Of(
        ConvolutionDirection direction, in ConvolutionShape shape, ConvolutionArithmetic arithmetic)
    {
        RequireReach(shape);
        var (input, weights, output) = (shape.Input, shape.Weights, shape.Output);
        int stride = shape.Geometry.Stride;
        if (arithmetic == ConvolutionArithmetic.Half) return OfPixels(direction, input, weights, output);
        return direction switch
        {
            ConvolutionDirection.Forward => new(
                output.C, output.N * output.Plane, input.C * weights.Plane, 1, output.Count),
            ConvolutionDirection.InputGradient => new(
                input.C, input.N * CeilingOf(input.H, stride) * CeilingOf(input.W, stride),
                output.C * CeilingOf(weights.H, stride) * CeilingOf(weights.W, stride), stride * stride, input.Count),
            _ => new(output.C, (int)weights.SampleCount, output.N * output.Plane, 1, weights.Count),
        };
    }

    /// <summary>The same in half precision, where channels come in whole chunks; what is written of the weight gradient
    /// are parts with such channels.</summary>
    private static ConvolutionProduct OfPixels(ConvolutionDirection direction, Shape input, Shape weights, Shape output)
    {
        int columns = weights.Plane * Chunked(input.C);
        return direction switch
        {
            ConvolutionDirection.Forward => new(output.C, output.N * output.Plane, columns, 1, output.Count),
            ConvolutionDirection.InputGradient => new(
                input.C, input.N * input.Plane, weights.Plane * Chunked(output.C), 1, input.Count),
            _ => new(output.C, columns, output.N * output.Plane, 1, (long)output.C * columns),
        };
    }

    /// <summary>Channels of a pixel in half precision: whole chunks of 16 bytes.</summary>
    public static int Chunked(int channels) => (channels + 7) / 8 * 8;

    public static int CeilingOf(int count, int each) => (count + each - 1) / each;

    private static void RequireReach(in ConvolutionShape shape)
    {
        const int MaximumChannels = short.MaxValue, MaximumKernel = 128;
        var (input, weights, output) = (shape.Input, shape.Weights, shape.Output);
        if (Math.Max(input.C, output.C) > MaximumChannels || Math.Max(weights.H, weights.W) > MaximumKernel)
        {
            throw new ArgumentException(
                $"Convolution2d: the kernels take {MaximumChannels} channels and {MaximumKernel} x {MaximumKernel} " +
                $"taps at most; the weights are {weights}.");
        }

        long largest = Math.Max(
            (input with { C = Chunked(input.C) }).Count,
            Math.Max((output with { C = Chunked(output.C) }).Count, weights.Count));
        if (largest > int.MaxValue)
        {
            throw new ArgumentException(
                $"Convolution2d: input {input} and weights {weights} are beyond the kernels' 32-bit indices: " +
                "2^31 values. Use a smaller image or batch.");
        }
    }
}
