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
