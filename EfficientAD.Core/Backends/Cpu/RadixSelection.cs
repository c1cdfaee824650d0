using System.Numerics;
using System.Runtime.Intrinsics;

namespace EfficientAD.Backends.Cpu;

/// <summary>Order statistics by counting: three passes fix 11, 11 and 10 bits of the value at a rank; nothing is moved
/// or sorted, and the time grows with the number of values alone.</summary>
/// <remarks>Floats are compared as integers: flipping the lower 31 bits of the negative ones sorts them all
/// (-0 before +0, NaN at the two ends). Counts are whole numbers, so any order of counting gives the same.
/// Not thread-safe.</remarks>
internal sealed unsafe class RadixSelection(WorkerPool pool)
{
    private const int Buckets = 1 << 11;
    private const int ValuesPerPart = 1 << 16, MostParts = 16;
    private const int SubHistograms = 4;  // neighbours are often equal: separate counters do not wait for each other

    private readonly uint[] _counts = new uint[MostParts * Buckets];

    /// <summary>The q-quantile with linear interpolation between neighbours; NaN if any value is NaN.</summary>
    public float Quantile(float* values, long count, double q)
    {
        double position = q * (count - 1);
        long rank = (long)position;
        double fraction = position - rank;
        if (Count(values, count, CountLeadingBits)) return float.NaN;

        long within = rank;
        int key = Take(ref within) - Buckets / 2;
        int prefix = key;
        Count(values, count, (start, length, counts) => CountBits(start, length, 21, prefix, 10, counts));
        key = (key << 11) + Take(ref within);
        prefix = key;
        Count(values, count, (start, length, counts) => CountBits(start, length, 10, prefix, 0, counts));
        int last = Take(ref within);
        key = (key << 10) + last;

        float lower = FromKey(key);
        long equal = Total(last);
        bool repeated = within + 1 < equal;  // the next rank holds the same value
        if (fraction == 0 || repeated) return lower;
        double upper = FromKey(SmallestAbove(values, count, key));
        return (float)((1 - fraction) * lower + fraction * upper);
    }

    private delegate bool PartBody(float* values, long count, Span<uint> counts);

    /// <summary>Runs one counting pass over all parts; true if a part says so.</summary>
    private bool Count(float* values, long count, PartBody body)
    {
        Array.Clear(_counts);
        bool[] found = new bool[Parts(count)];
        ForParts(count, (part, first, length) =>
            found[part] = body(values + first, length, _counts.AsSpan(part * Buckets, Buckets)));
        return found.AsSpan().Contains(true);
    }

    private static int Parts(long count) => (int)Math.Clamp(count / ValuesPerPart, 1, MostParts);

    private void ForParts(long count, Action<int, long, long> body)
    {
        int parts = Parts(count);
        pool.Run(parts, part => body(part, count * part / parts, count * (part + 1) / parts - count * part / parts));
    }

    /// <summary>The bucket that holds the rank, which becomes the rank within it.</summary>
    private int Take(ref long rank)
    {
        for (int bucket = 0; bucket < Buckets; bucket++)
        {
            long total = Total(bucket);
            if (rank < total) return bucket;
            rank -= total;
        }

        throw new InvalidOperationException(
            "Quantile: fewer values were counted than there are; another thread must have changed them meanwhile.");
    }

    private long Total(int bucket)
    {
        long total = 0;
        for (int part = 0; part < MostParts; part++) total += _counts[part * Buckets + bucket];
        return total;
    }

    /// <summary>Counts all values by their 11 leading bits; true if one is NaN.</summary>
    private static bool CountLeadingBits(float* values, long count, Span<uint> counts)
    {
        uint* local = stackalloc uint[SubHistograms * Buckets];
        int* buckets = stackalloc int[8];
        Vector256<float> unordered = Vector256<float>.Zero;
        long i = 0;
        for (; i + 8 <= count; i += 8)
        {
            Vector256<float> block = Vector256.Load(values + i);
            unordered |= ~Vector256.Equals(block, block);
            ((Keys(block) >> 21) + Vector256.Create(Buckets / 2)).Store(buckets);
            local[buckets[0]]++;
            local[buckets[1] + Buckets]++;
            local[buckets[2] + 2 * Buckets]++;
            local[buckets[3] + 3 * Buckets]++;
            local[buckets[4]]++;
            local[buckets[5] + Buckets]++;
            local[buckets[6] + 2 * Buckets]++;
            local[buckets[7] + 3 * Buckets]++;
        }

        bool nan = unordered.ExtractMostSignificantBits() != 0;
        for (; i < count; i++)
        {
            nan |= float.IsNaN(values[i]);
            local[(Key(values[i]) >> 21) + Buckets / 2]++;
        }

        for (int bucket = 0; bucket < Buckets; bucket++)
            for (int i4 = bucket; i4 < SubHistograms * Buckets; i4 += Buckets) counts[bucket] += local[i4];
        return nan;
    }

    /// <summary>Counts those values whose bits from <paramref name="prefixShift"/> up equal the prefix by the bits
    /// from <paramref name="shift"/> up to there.</summary>
    private static bool CountBits(
        float* values, long count, int prefixShift, int prefix, int shift, Span<uint> counts)
    {
        int mask = (1 << (prefixShift - shift)) - 1;
        Vector256<int> wanted = Vector256.Create(prefix);
        long i = 0;
        for (; i + 8 <= count; i += 8)
        {
            Vector256<int> keys = Keys(Vector256.Load(values + i));
            uint hits = Vector256.Equals(keys >> prefixShift, wanted).ExtractMostSignificantBits();
            for (; hits != 0; hits &= hits - 1)
                counts[(Key(values[i + BitOperations.TrailingZeroCount(hits)]) >> shift) & mask]++;
        }

        for (; i < count; i++)
        {
            int key = Key(values[i]);
            if (key >> prefixShift == prefix) counts[(key >> shift) & mask]++;
        }

        return false;
    }

    private int SmallestAbove(float* values, long count, int key)
    {
        int[] smallest = new int[Parts(count)];
        ForParts(count, (part, first, length) => smallest[part] = SmallestAboveIn(values + first, length, key));
        return smallest.Min();
    }

    private static int SmallestAboveIn(float* values, long count, int key)
    {
        Vector256<int> bound = Vector256.Create(key), smallest = Vector256.Create(int.MaxValue);
        long i = 0;
        for (; i + 8 <= count; i += 8)
        {
            Vector256<int> keys = Keys(Vector256.Load(values + i));
            Vector256<int> above = Vector256.GreaterThan(keys, bound);
            smallest = Vector256.ConditionalSelect(above, Vector256.Min(keys, smallest), smallest);
        }

        int result = int.MaxValue;
        for (int lane = 0; lane < 8; lane++) result = Math.Min(result, smallest[lane]);
        for (; i < count; i++)
            if (Key(values[i]) > key) result = Math.Min(result, Key(values[i]));
        return result;
    }

    private static Vector256<int> Keys(Vector256<float> values)
    {
        Vector256<int> bits = values.AsInt32();
        return bits ^ ((bits >> 31) & Vector256.Create(int.MaxValue));
    }

    private static int Key(float value)
    {
        int bits = BitConverter.SingleToInt32Bits(value);
        return bits ^ ((bits >> 31) & int.MaxValue);
    }

    private static float FromKey(int key) => BitConverter.Int32BitsToSingle(key ^ ((key >> 31) & int.MaxValue));
}
