using System.Numerics;

namespace EfficientAD.Metrics;

/// <summary>Scores as unsigned integers of the same order, so that millions of them sort in linear time.</summary>
internal static class ScoreKeys
{
    private const int DigitBits = 11, Digits = 3, Buckets = 1 << DigitBits;

    /// <summary>The key of a finite score; 0 and -0 are one score and share a key.</summary>
    public static uint Of(float score)
    {
        int bits = BitConverter.SingleToInt32Bits(score + 0f);
        return (uint)(bits ^ (bits >> 31 | int.MinValue));
    }

    /// <summary>The keys of many scores.</summary>
    /// <param name="keys">As many as scores; overwritten.</param>
    public static void Of(ReadOnlySpan<float> scores, Span<uint> keys)
    {
        keys = keys[..scores.Length];
        int i = 0;
        for (; i + Vector<float>.Count <= scores.Length; i += Vector<float>.Count)
        {
            Vector<int> bits = Vector.AsVectorInt32(new Vector<float>(scores[i..]) + Vector<float>.Zero);
            Vector.AsVectorUInt32(bits ^ (bits >> 31 | new Vector<int>(int.MinValue))).CopyTo(keys[i..]);
        }
        for (; i < scores.Length; i++) keys[i] = Of(scores[i]);
    }

    /// <summary>How many of the sorted keys are not above this one.</summary>
    public static int CountUpTo(ReadOnlySpan<uint> sorted, uint key)
    {
        (int low, int high) = (0, sorted.Length);
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (sorted[middle] <= key) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    /// <summary>Sorts upwards: a counting sort per digit, lowest first.</summary>
    /// <param name="keys">Sorted in place.</param>
    /// <param name="scratch">At least as long; overwritten.</param>
    public static void Sort(Span<uint> keys, Span<uint> scratch)
    {
        Span<uint> source = keys, destination = scratch[..keys.Length];
        var starts = new int[Buckets];
        for (int digit = 0; digit < Digits; digit++)
        {
            int shift = digit * DigitBits;
            Array.Clear(starts);
            foreach (uint key in source) starts[key >> shift & (Buckets - 1)]++;
            for (int bucket = 0, next = 0; bucket < Buckets; bucket++)
                (starts[bucket], next) = (next, next + starts[bucket]);
            foreach (uint key in source) destination[starts[key >> shift & (Buckets - 1)]++] = key;
            Span<uint> written = destination;
            destination = source;
            source = written;
        }
        source.CopyTo(keys);  // an odd number of passes has ended in the scratch
    }

    /// <summary>Moves the distinct ones of sorted keys to the front.</summary>
    /// <returns>How many there are.</returns>
    public static int Distinct(Span<uint> sorted)
    {
        int count = 0;
        foreach (uint key in sorted)
            if (count == 0 || key != sorted[count - 1])
                sorted[count++] = key;
        return count;
    }
}
