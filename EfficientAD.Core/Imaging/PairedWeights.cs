namespace EfficientAD.Imaging;

/// <summary>The weights of two neighbouring source pixels, as the 16-bit halves of 32 bits. A weight has up to 23 bits,
/// so it is split: weight = low + high * 2^11. Products of a part and a pixel are summed exactly in 32 bits.</summary>
/// <param name="Low">The low parts.</param>
/// <param name="High">The high parts.</param>
internal readonly record struct PairedWeight(int Low, int High)
{
    public const int LowBits = 11;

    private const int LowMask = (1 << LowBits) - 1;

    public static PairedWeight Of(int even, int odd) =>
        new((even & LowMask) | (odd & LowMask) << 16, even >> LowBits | odd >> LowBits << 16);
}

/// <summary>The weights of a <see cref="TriangleFilter"/> for sums over pairs of source pixels; pair p is pixels 2 p
/// and 2 p + 1.</summary>
internal sealed class PairedWeights
{
    private readonly int[] _starts;
    private readonly int[] _offsets;  // of each target pixel's pairs, and their number at the end
    private readonly PairedWeight[] _weights;

    /// <param name="count">Target pixels in the filter's window.</param>
    public PairedWeights(TriangleFilter filter, int count)
    {
        _starts = new int[count];
        _offsets = new int[count + 1];
        List<PairedWeight> paired = [];
        for (int i = 0; i < count; i++)
        {
            int start = filter.Start(i), end = start + filter.Weights(i).Length;
            _starts[i] = start / 2;
            for (int even = start / 2 * 2; even < end; even += 2)
                paired.Add(PairedWeight.Of(WeightAt(i, even), WeightAt(i, even + 1)));
            _offsets[i + 1] = paired.Count;
        }
        _weights = [.. paired];

        int WeightAt(int target, int source)
        {
            int index = source - filter.Start(target);
            ReadOnlySpan<int> weights = filter.Weights(target);
            return (uint)index < (uint)weights.Length ? weights[index] : 0;
        }
    }

    /// <summary>The first pair of source pixels that target pixel <paramref name="i"/> of the window depends
    /// on.</summary>
    public int Start(int i) => _starts[i];

    /// <summary>The weights of the pairs from <see cref="Start"/> on.</summary>
    public ReadOnlySpan<PairedWeight> Of(int i) => _weights.AsSpan(_offsets[i].._offsets[i + 1]);
}
