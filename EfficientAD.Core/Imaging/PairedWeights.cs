namespace EfficientAD.Imaging;

/// <summary>The weights of a <see cref="TriangleFilter"/> for sums over pairs of neighbouring source pixels: the two
/// weights of a pair share 32 bits, as one 16-bit half each.</summary>
/// <remarks>A weight has up to 23 bits, so it is split into two parts: weight = low + high * 2^11. Products of a part and
/// a pixel are summed exactly in 32 bits.</remarks>
internal sealed class PairedWeights
{
    public const int LowBits = 11;

    private readonly int[] _starts;
    private readonly int[] _offsets;  // of each target pixel's pairs, and their number at the end
    private readonly int[] _low, _high;

    /// <param name="count">Target pixels in the filter's window.</param>
    public PairedWeights(TriangleFilter filter, int count)
    {
        _starts = new int[count];
        _offsets = new int[count + 1];
        List<int> low = [], high = [];
        for (int i = 0; i < count; i++)
        {
            int start = filter.Start(i), end = start + filter.Weights(i).Length;
            _starts[i] = start / 2;
            for (int first = start / 2 * 2; first < end; first += 2)
            {
                (int even, int odd) = (WeightAt(i, first), WeightAt(i, first + 1));
                low.Add((even & (1 << LowBits) - 1) | (odd & (1 << LowBits) - 1) << 16);
                high.Add(even >> LowBits | odd >> LowBits << 16);
            }
            _offsets[i + 1] = low.Count;
        }
        (_low, _high) = ([.. low], [.. high]);

        int WeightAt(int target, int source)
        {
            int index = source - filter.Start(target);
            ReadOnlySpan<int> weights = filter.Weights(target);
            return (uint)index < (uint)weights.Length ? weights[index] : 0;
        }
    }

    /// <summary>The first pair of source pixels that target pixel <paramref name="i"/> of the window depends on; pair p
    /// is pixels 2 p and 2 p + 1.</summary>
    public int Start(int i) => _starts[i];

    /// <summary>The low parts of the pairs' weights.</summary>
    public ReadOnlySpan<int> Low(int i) => _low.AsSpan(_offsets[i].._offsets[i + 1]);

    /// <summary>The high parts of the pairs' weights.</summary>
    public ReadOnlySpan<int> High(int i) => _high.AsSpan(_offsets[i].._offsets[i + 1]);
}
