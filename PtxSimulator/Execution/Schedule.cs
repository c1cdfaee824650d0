namespace PtxSimulator.Execution;

/// <summary>The order in which blocks and warps run, and when copies land. Depends on the seed alone.</summary>
internal sealed class Schedule(int seed, long block)
{
    /// <summary>Backward branches of a warp before the next has its turn; spinning warps wait for others.</summary>
    private const int LongTurn = 100_000;

    private ulong _state = ((ulong)(uint)seed << 32 | (uint)block) * 0x9E3779B97F4A7C15 + 1;

    public bool IsInOrder => seed == 0;

    public int Turn => IsInOrder ? LongTurn : 1 + Next(64);

    /// <summary>The order of the blocks, or null for one after the other.</summary>
    public static long[]? Blocks(long count, int seed)
    {
        if (seed == 0) return null;
        var order = new long[count];
        for (long i = 0; i < count; i++) order[i] = i;
        new Random(seed).Shuffle(order);
        return order;
    }

    /// <summary>A number below <paramref name="bound"/>.</summary>
    public int Next(int bound)
    {
        _state ^= _state << 13;
        _state ^= _state >> 7;
        _state ^= _state << 17;
        return (int)((_state >> 33) % (uint)bound);
    }
}
