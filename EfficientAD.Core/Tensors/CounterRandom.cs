namespace EfficientAD.Tensors;

/// <summary>Random numbers by position instead of by state: draw i of a stream is a pure function of seed, stream and
/// i, so that every backend, order and thread count gives the same draws. Philox 4x32 with 10 rounds (Salmon et al.,
/// 2011).</summary>
/// <param name="Seed">The run's seed.</param>
/// <param name="Stream">Which sequence: by purpose and step, for instance.</param>
public readonly record struct CounterRandom(ulong Seed, ulong Stream)
{
    internal const uint Multiplier0 = 0xD2511F53, Multiplier1 = 0xCD9E8D57;
    internal const uint Weyl0 = 0x9E3779B9, Weyl1 = 0xBB67AE85;
    internal const int Rounds = 10;

    /// <summary>32 random bits for draw <paramref name="index"/>: word index % 4 of block index / 4.</summary>
    public uint Bits(ulong index)
    {
        Block(index >> 2, out uint a, out uint b, out uint c, out uint d);
        return (index & 3) switch { 0 => a, 1 => b, 2 => c, _ => d };
    }

    /// <summary>Draw <paramref name="index"/>, uniform in [0, 1), a multiple of 2^-24.</summary>
    public float Uniform(ulong index) => (Bits(index) >> 8) * (1f / (1 << 24));

    /// <summary>Draw <paramref name="index"/>, uniform in [minimum, maximum).</summary>
    public float Uniform(ulong index, float minimum, float maximum) => minimum + (maximum - minimum) * Uniform(index);

    /// <summary>Draw <paramref name="index"/>, uniform in 0 .. count - 1 (bias below count / 2^32).</summary>
    public int Below(ulong index, int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return (int)((ulong)Bits(index) * (ulong)count >> 32);
    }

    /// <summary>The numbers 0 .. count - 1 in random order (Fisher-Yates), from draws 1 .. count - 1.</summary>
    public int[] Permutation(int count)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        for (int i = count - 1; i > 0; i--)
        {
            int j = Below((ulong)i, i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }
        return order;
    }

    /// <summary>Draw <paramref name="index"/> of the standard normal distribution (Box-Muller on words 0 and 1 of block
    /// index).</summary>
    public float Normal(ulong index)
    {
        Block(index, out uint a, out uint b, out _, out _);
        double radius = Math.Sqrt(-2 * Math.Log((a + 1.0) / 4294967296.0));
        return (float)(radius * Math.Cos(2 * Math.PI * b / 4294967296.0));
    }

    /// <summary>The four words of a block: counter (block, stream), key seed.</summary>
    public void Block(ulong block, out uint a, out uint b, out uint c, out uint d)
    {
        (a, b, c, d) = ((uint)block, (uint)(block >> 32), (uint)Stream, (uint)(Stream >> 32));
        uint key0 = (uint)Seed, key1 = (uint)(Seed >> 32);
        for (int round = 0; round < Rounds; round++)
        {
            ulong product0 = (ulong)Multiplier0 * a, product1 = (ulong)Multiplier1 * c;
            (a, b, c, d) =
                ((uint)(product1 >> 32) ^ b ^ key0, (uint)product1, (uint)(product0 >> 32) ^ d ^ key1, (uint)product0);
            key0 += Weyl0;
            key1 += Weyl1;
        }
    }
}
