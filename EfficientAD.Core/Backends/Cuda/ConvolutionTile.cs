namespace EfficientAD.Backends.Cuda;

/// <summary>A square tile of a matrix product that one block of a convolution kernel computes.</summary>
/// <param name="Name">In the kernel's name.</param>
/// <param name="Size">Rows, and columns.</param>
/// <param name="Threads">Of a block.</param>
/// <param name="Effort">Time of one product in a busy multiprocessor, relative to the large tile: a smaller one reads
/// shared memory more often. Estimates, from the instructions of the inner loops.</param>
internal sealed record ConvolutionTile(string Name, int Size, int Threads, double Effort)
{
    public static ConvolutionTile Large { get; } = new("large", 128, 256, 1);

    public static ConvolutionTile Medium { get; } = new("medium", 64, 128, 1.3);

    public static ConvolutionTile Small { get; } = new("small", 32, 64, 2);
}

/// <summary>What multiplies in a convolution kernel.</summary>
/// <param name="Infix">Of a kernel's name, between direction and tile.</param>
/// <param name="Tiles">For which there are kernels.</param>
/// <param name="StageDepth">k per stage in shared memory; a split of k begins at a multiple.</param>
/// <param name="Rate">Multiply-adds of one multiprocessor and cycle.</param>
internal sealed record ConvolutionArithmetic(string Infix, ConvolutionTile[] Tiles, int StageDepth, double Rate)
{
    public static ConvolutionArithmetic Float { get; } =
        new("", [ConvolutionTile.Large, ConvolutionTile.Medium, ConvolutionTile.Small], 8, 128);

    public static ConvolutionArithmetic Tf32 { get; } = Float with { Infix = "tf32_", Rate = 512 };

    /// <summary>Gradients of the input with stride 1 only.</summary>
    public static ConvolutionArithmetic Half { get; } =
        new("half_", [ConvolutionTile.Large, ConvolutionTile.Medium], 32, 1024);

    /// <summary>What multiplies on a device of this compute capability.</summary>
    public static ConvolutionArithmetic Of(
        CudaPrecision precision, ConvolutionDirection direction, Convolution2dGeometry geometry, Version capability) =>
        precision switch
        {
            CudaPrecision.Half when direction != ConvolutionDirection.InputGradient || geometry.Stride == 1 => Half,
            CudaPrecision.Tf32 when capability.Major >= 8 => Tf32,
            _ => Float,
        };

    /// <summary>The name of a kernel but for its tile.</summary>
    public string PrefixOf(ConvolutionDirection direction) => direction switch
    {
        ConvolutionDirection.Forward => $"convolution2d_forward_{Infix}",
        ConvolutionDirection.InputGradient => $"convolution2d_input_gradient_{Infix}",
        _ => $"convolution2d_weight_gradient_{Infix}",
    };
}
