namespace EfficientAD.Data;

/// <summary>torch.randperm on the CPU: a Fisher-Yates shuffle by the Mersenne Twister MT19937 (Matsumoto and Nishimura,
/// 1998), so that a split made by PyTorch can be made again here.</summary>
internal sealed class TorchPermutation
{
    private const int StateSize = 624, Middle = 397;
    private const uint Matrix = 0x9908b0df, UpperMask = 0x80000000, LowerMask = 0x7fffffff;

    private readonly uint[] _state = new uint[StateSize];
    private int _next = StateSize;

    private TorchPermutation(uint seed)
    {
        _state[0] = seed;
        for (uint i = 1; i < StateSize; i++)
        {
            uint previous = _state[i - 1];
            _state[i] = 1812433253 * (previous ^ (previous >> 30)) + i;
        }
    }

    /// <summary>The numbers 0 to count - 1 in the order of <c>torch.randperm(count, generator)</c> after
    /// <c>generator.manual_seed(seed)</c>.</summary>
    public static int[] Create(int count, uint seed)
    {
        var random = new TorchPermutation(seed);
        int[] order = [.. Enumerable.Range(0, count)];
        for (int i = 0; i < count - 1; i++)
        {
            int other = i + (int)(random.Next() % (uint)(count - i));
            (order[i], order[other]) = (order[other], order[i]);
        }

        return order;
    }

    private uint Next()
    {
        if (_next == StateSize) Renew();
        uint value = _state[_next++];
        value ^= value >> 11;
        value ^= (value << 7) & 0x9d2c5680;
        value ^= (value << 15) & 0xefc60000;
        return value ^ (value >> 18);
    }

    private void Renew()
    {
        for (int i = 0; i < StateSize; i++)
        {
            uint both = (_state[i] & UpperMask) | (_state[(i + 1) % StateSize] & LowerMask);
            _state[i] = _state[(i + Middle) % StateSize] ^ (both >> 1) ^ ((both & 1) * Matrix);
        }

        _next = 0;
    }
}
