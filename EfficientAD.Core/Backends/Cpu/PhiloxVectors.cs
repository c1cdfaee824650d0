using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu;

/// <summary>The draws of <see cref="CounterRandom"/>, sixteen at a time: four blocks side by side.</summary>
internal static class PhiloxVectors
{
    public const int Draws = 16;

    private static readonly Vector256<ulong> Low32 = Vector256.Create(0xFFFFFFFFul);

    /// <summary>The 32 bits of draws 4 * block .. 4 * block + 15.</summary>
    /// <remarks>Words lie in the lower halves of 64-bit lanes; the upper halves are rubbish until the end.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector256<uint> First, Vector256<uint> Second) Bits(CounterRandom random, ulong block)
    {
        Vector256<ulong> a = Vector256.Create(block) + Vector256.Create(0ul, 1, 2, 3);
        Vector256<ulong> b = a >>> 32;
        Vector256<ulong> c = Vector256.Create(random.Stream), d = c >>> 32;
        uint key0 = (uint)random.Seed, key1 = (uint)(random.Seed >> 32);
        for (int round = 0; round < CounterRandom.Rounds; round++)
        {
            Vector256<ulong> product0 = Multiply(a, CounterRandom.Multiplier0);
            Vector256<ulong> product1 = Multiply(c, CounterRandom.Multiplier1);
            a = (product1 >>> 32) ^ b ^ Vector256.Create((ulong)key0);
            b = product1;
            c = (product0 >>> 32) ^ d ^ Vector256.Create((ulong)key1);
            d = product0;
            key0 += CounterRandom.Weyl0;
            key1 += CounterRandom.Weyl1;
        }

        Vector256<ulong> ab = (a & Low32) | (b << 32), cd = (c & Low32) | (d << 32);
        return (Interleave(ab, cd, Vector256.Create(0ul, 0, 1, 1)), Interleave(ab, cd, Vector256.Create(2ul, 2, 3, 3)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> Multiply(Vector256<ulong> words, uint factor) => Avx2.IsSupported
        ? Avx2.Multiply(words.AsUInt32(), Vector256.Create((ulong)factor).AsUInt32())
        : (words & Low32) * factor;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Interleave(Vector256<ulong> even, Vector256<ulong> odd, Vector256<ulong> lanes) =>
        Vector256.ConditionalSelect(Vector256.Create(ulong.MaxValue, 0, ulong.MaxValue, 0),
            Vector256.Shuffle(even, lanes), Vector256.Shuffle(odd, lanes)).AsUInt32();
}
