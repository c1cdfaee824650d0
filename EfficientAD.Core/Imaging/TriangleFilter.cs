namespace EfficientAD.Imaging;

/// <summary>The weights of Pillow's BILINEAR filter along one direction, for a window of the target's pixels.</summary>
/// <remarks>
/// Target pixel i lies at (i + 0.5) * scale in the source; a triangle of half-width max(scale, 1) around it weighs the
/// source pixels' centres. Weights are normalised in double, then rounded to fixed point with 22 fraction bits, in
/// Pillow's order of operations, since one unit in the last place shows in the pixels. Weights that are zero are
/// dropped, so that an unchanged size has one tap of weight 1, which is the identity (Pillow skips that pass).
/// </remarks>
internal sealed class TriangleFilter
{
    /// <summary>Fraction bits of a weight: 32 bits less 8 for the pixel and 2 for sign and overshoot.</summary>
    public const int FractionBits = 32 - 8 - 2;

    private readonly int[] _starts;
    private readonly int[] _offsets;  // of each target pixel's weights, and their number at the end
    private readonly int[] _weights;

    /// <param name="source">Pixels before the resize.</param>
    /// <param name="target">Pixels after the resize.</param>
    /// <param name="first">First target pixel of the window.</param>
    /// <param name="count">Target pixels in the window.</param>
    public TriangleFilter(int source, int target, int first, int count)
    {
        double scale = (double)source / target;
        double support = Math.Max(scale, 1);
        double inverseSupport = 1 / support;
        _starts = new int[count];
        _offsets = new int[count + 1];
        var weights = new List<int>();
        var taps = new double[(int)Math.Ceiling(support) * 2 + 1];
        for (int i = 0; i < count; i++)
        {
            double centre = (first + i + 0.5) * scale;
            int start = Math.Max((int)(centre - support + 0.5), 0);
            int length = Math.Min((int)(centre + support + 0.5), source) - start;
            double sum = 0;
            for (int j = 0; j < length; j++)
                sum += taps[j] = Math.Max(1 - Math.Abs((j + start - centre + 0.5) * inverseSupport), 0);
            _starts[i] = start;
            AddFixedPoint(taps.AsSpan(0, length), sum, weights, ref _starts[i]);
            _offsets[i + 1] = weights.Count;
        }
        _weights = [.. weights];
        LongestRun = Enumerable.Range(0, count).Max(i => _offsets[i + 1] - _offsets[i]);
    }

    /// <summary>The largest number of source pixels that a target pixel of the window depends on.</summary>
    public int LongestRun { get; }

    /// <summary>First source pixel that target pixel <paramref name="i"/> of the window depends on; never decreases
    /// with i.</summary>
    public int Start(int i) => _starts[i];

    /// <summary>One past the last source pixel that the window depends on.</summary>
    public int End => _starts[^1] + _weights.Length - _offsets[^2];

    /// <summary>All of it in one piece, for a device: starts, then offsets, then weights.</summary>
    public int[] ToArray() => [.. _starts, .. _offsets, .. _weights];

    /// <summary>The weights of the source pixels from <see cref="Start"/> on; they add up to 2^22 but for
    /// rounding.</summary>
    public ReadOnlySpan<int> Weights(int i) => _weights.AsSpan(_offsets[i].._offsets[i + 1]);

    private static void AddFixedPoint(ReadOnlySpan<double> taps, double sum, List<int> weights, ref int start)
    {
        int before = weights.Count;
        foreach (double tap in taps)
        {
            int weight = (int)(0.5 + tap / sum * (1 << FractionBits));
            if (weight == 0 && weights.Count == before) start++;
            else weights.Add(weight);
        }
        while (weights.Count > before + 1 && weights[^1] == 0) weights.RemoveAt(weights.Count - 1);
    }
}
