namespace EfficientAD.Tensors;

/// <summary>The extents of a tensor: batch, channels, height, width; width varies fastest in memory.</summary>
/// <remarks>Weights of a convolution are [output channels, input channels, kernel height, kernel width].</remarks>
public readonly record struct Shape(int N, int C, int H, int W)
{
    /// <summary>A vector of <paramref name="count"/> values: [1, count, 1, 1].</summary>
    public static Shape Vector(int count) => new(1, count, 1, 1);

    /// <summary>Number of values.</summary>
    public long Count => (long)N * C * H * W;

    /// <summary>Number of values of one sample: C * H * W.</summary>
    public long SampleCount => (long)C * H * W;

    /// <summary>Number of values of one channel of one sample: H * W.</summary>
    public int Plane => checked(H * W);

    public override string ToString() => $"[{N}, {C}, {H}, {W}]";
}
