namespace EfficientAD.Backends;

/// <summary>Stride and zero padding of a convolution, equal in both directions.</summary>
public readonly record struct Convolution2dGeometry(int Stride, int Padding)
{
    /// <summary>Stride 1, no padding.</summary>
    public static Convolution2dGeometry Valid => new(1, 0);

    /// <summary>Extent of the output for an input and a kernel extent.</summary>
    public int OutputSize(int input, int kernel) => (input + 2 * Padding - kernel) / Stride + 1;
}
