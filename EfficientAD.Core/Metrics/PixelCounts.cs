using EfficientAD.Imaging;

namespace EfficientAD.Metrics;

/// <summary>Per distinct score of the marked pixels: how many of them have it, what they add to the overlap, and how
/// many unmarked pixels have it or lie between it and the next.</summary>
/// <param name="scores">The keys of those scores, rising.</param>
internal sealed class PixelCounts(uint[] scores, RegionSaturation? saturation)
{
    private const int MostThreads = 16;

    private readonly long[] _unmarked = new long[2 * scores.Length + 1];  // [2 i]: below score i; [2 i + 1]: at score i
    private readonly int[] _marked = new int[scores.Length];
    private readonly double[] _overlap = new double[scores.Length];
    private readonly double[]? _saturatedOverlap = saturation is null ? null : new double[scores.Length];
    private int _regions, _saturatedRegions;

    // Unmarked pixels wait here until they are worth sorting and a walk along all scores.
    private readonly uint[] _waiting = new uint[Math.Clamp(scores.Length, 1 << 16, 1 << 24)];
    private readonly uint[] _scratch = new uint[Math.Clamp(scores.Length, 1 << 16, 1 << 24)];
    private int _waitingCount;

    private int[] _labels = [];

    public void Add(PixelSample sample)
    {
        float[] values = sample.Map.Values;
        if (sample.Masks.Count == 0)
        {
            AddUnmarked(values);
            return;
        }
        AddRegions(values, sample.UnionOfMasks());
        if (saturation is null) return;
        foreach (GreyImage mask in sample.Masks)
            AddSaturated(values, mask, saturation.Area(mask));
    }

    /// <returns>Null if there is no unmarked pixel.</returns>
    public PixelMetrics? ToMetrics()
    {
        CountWaiting();
        long unmarked = _unmarked.Sum();
        return unmarked == 0 ? null : new(
            Auroc(unmarked),
            Curve(_overlap, _regions, unmarked),
            _saturatedOverlap is null ? null : Curve(_saturatedOverlap, _saturatedRegions, unmarked));
    }

    private void AddUnmarked(float value)
    {
        if (_waitingCount == _waiting.Length) CountWaiting();
        _waiting[_waitingCount++] = ScoreKeys.Of(value);
    }

    private void AddUnmarked(ReadOnlySpan<float> values)
    {
        while (!values.IsEmpty)
        {
            if (_waitingCount == _waiting.Length) CountWaiting();
            int count = Math.Min(values.Length, _waiting.Length - _waitingCount);
            ScoreKeys.Of(values[..count], _waiting.AsSpan(_waitingCount));
            values = values[count..];
            _waitingCount += count;
        }
    }

    /// <summary>Each thread sorts a part of what waits, then counts all parts' pixels along its share of the
    /// scores.</summary>
    private void CountWaiting()
    {
        int threads = Math.Min(Environment.ProcessorCount, MostThreads), each = (_waitingCount + threads - 1) / threads;
        Parallel.For(0, threads, part => ScoreKeys.Sort(Part(part), _scratch.AsSpan(part * each, Part(part).Length)));
        Parallel.For(0, threads, share =>
        {
            int first = (int)((long)scores.Length * share / threads);
            int end = (int)((long)scores.Length * (share + 1) / threads);
            for (int part = 0; part < threads; part++)
            {
                ReadOnlySpan<uint> keys = Part(part);
                if (share < threads - 1) keys = keys[..(end == 0 ? 0 : ScoreKeys.CountUpTo(keys, scores[end - 1]))];
                if (first > 0) keys = keys[ScoreKeys.CountUpTo(keys, scores[first - 1])..];
                CountSorted(keys, first);
            }
        });
        _waitingCount = 0;

        Span<uint> Part(int part) =>
            _waiting.AsSpan(Math.Min(part * each, _waitingCount)..Math.Min((part + 1) * each, _waitingCount));
    }

    /// <param name="i">A score that is not above the first key, or the one above.</param>
    private void CountSorted(ReadOnlySpan<uint> keys, int i)
    {
        foreach (uint key in keys)
        {
            while (i < scores.Length && scores[i] < key) i++;
            _unmarked[2 * i + (i < scores.Length && scores[i] == key ? 1 : 0)]++;
        }
    }

    private void AddRegions(float[] values, GreyImage union)
    {
        if (_labels.Length != values.Length) _labels = new int[values.Length];
        int count = ConnectedComponents.Label(union, _labels);
        var areas = new int[count + 1];
        foreach (int label in _labels) areas[label]++;

        for (int i = 0; i < values.Length; i++)
        {
            if (_labels[i] == 0)
            {
                AddUnmarked(values[i]);
                continue;
            }
            int score = IndexOf(values[i]);
            _marked[score]++;
            _overlap[score] += 1.0 / areas[_labels[i]];
        }
        _regions += count;
    }

    /// <summary>min(found / saturation area, 1) at every threshold is what the region's highest scores add, 1 /
    /// saturation area each; the others add nothing.</summary>
    private void AddSaturated(float[] values, GreyImage mask, int saturationArea)
    {
        var region = new List<float>();
        for (int i = 0; i < values.Length; i++)
            if (mask.Pixels[i] != 0)
                region.Add(values[i]);
        region.Sort();

        for (int i = region.Count - saturationArea; i < region.Count; i++)
            _saturatedOverlap![IndexOf(region[i])] += 1.0 / saturationArea;
        _saturatedRegions++;
    }

    private int IndexOf(float markedValue) => Array.BinarySearch(scores, ScoreKeys.Of(markedValue));

    private double Auroc(long unmarked)
    {
        UInt128 doubled = 0;  // pairs in the right order count twice, ties once
        ulong below = 0, marked = 0;
        for (int i = 0; i < scores.Length; i++)
        {
            below += (ulong)_unmarked[2 * i];
            ulong equal = (ulong)_unmarked[2 * i + 1];
            doubled += (UInt128)(2 * below + equal) * (uint)_marked[i];
            below += equal;
            marked += (uint)_marked[i];
        }
        return (double)doubled / (2.0 * marked * unmarked);
    }

    private RegionOverlapCurve Curve(double[] overlap, int regions, long unmarked)
    {
        int gaps = 0;
        for (int i = 0; i < _unmarked.Length; i += 2)
            if (_unmarked[i] != 0)
                gaps++;
        var rates = new double[1 + scores.Length + gaps];
        var overlaps = new double[rates.Length];

        long falsePositives = 0;
        double sum = 0;
        for (int position = _unmarked.Length - 1, next = 1; position >= 0; position--)
        {
            bool isScore = (position & 1) == 1;
            if (!isScore && _unmarked[position] == 0) continue;
            falsePositives += _unmarked[position];
            if (isScore) sum += overlap[position >> 1];
            rates[next] = (double)falsePositives / unmarked;
            overlaps[next++] = Math.Min(sum / regions, 1);
        }
        // The lowest threshold accepts every pixel: exactly (1, 1), whatever rounding the sum has gathered.
        overlaps[^1] = 1;
        return new RegionOverlapCurve(rates, overlaps);
    }
}
