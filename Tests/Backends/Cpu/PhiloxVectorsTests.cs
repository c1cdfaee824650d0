using System.Runtime.Intrinsics;
using EfficientAD.Backends.Cpu;
using EfficientAD.Tensors;

namespace EfficientAD.Tests.Backends.Cpu;

public class PhiloxVectorsTests
{
    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(0x0123456789ABCDEF, 0xFEDCBA9876543210, 12345)]
    [InlineData(ulong.MaxValue, ulong.MaxValue, 0xFFFFFFFE)]  // the carry into the counter's second word
    public void Bits_AreThoseOfCounterRandom(ulong seed, ulong stream, ulong block)
    {
        var random = new CounterRandom(seed, stream);
        var expected = new uint[PhiloxVectors.Draws];
        for (int i = 0; i < expected.Length; i++) expected[i] = random.Bits(4 * block + (ulong)i);

        var (first, second) = PhiloxVectors.Bits(random, block);
        var actual = new uint[PhiloxVectors.Draws];
        first.CopyTo(actual);
        second.CopyTo(actual, 8);
        Assert.Equal(expected, actual);
    }
}
