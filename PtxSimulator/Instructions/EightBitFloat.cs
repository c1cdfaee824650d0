namespace PtxSimulator.Instructions;

/// <summary>e4m3: a sign, four bits of exponent biased by 7, three of fraction; no infinity, and NaN is all bits behind
/// the sign.</summary>
internal static class EightBitFloat
{
    private const byte NaN = 0x7F, Largest = 0x7E;
    private const int FractionBits = 3, Bias = 7, SmallestExponent = 1 - Bias;

    /// <summary>The values of all 256 bit patterns.</summary>
    public static float[] Values { get; } = [.. Enumerable.Range(0, 256).Select(bits => Decode((byte)bits))];

    /// <summary>To the nearest, of two as near the even one; what lies beyond 448 becomes 448.</summary>
    public static byte Round(float value)
    {
        if (float.IsNaN(value)) return NaN;
        var sign = float.IsNegative(value) ? 0x80 : 0;
        var size = MathF.Abs(value);
        if (size >= Values[Largest]) return (byte)(sign | Largest);
        var exponent = Math.Max(size == 0 ? SmallestExponent : Math.ILogB(size), SmallestExponent);
        // In steps of the last bit of the fraction; a sum that overflows the fraction raises the exponent by itself.
        var steps = (int)Math.Round(Math.ScaleB(size, FractionBits - exponent), MidpointRounding.ToEven);
        return (byte)(sign | (exponent - SmallestExponent << FractionBits) + steps);
    }

    private static float Decode(byte bits)
    {
        if ((bits & NaN) == NaN) return BitConverter.UInt32BitsToSingle(Rounding.CanonicalNaN);
        var (exponent, fraction) = (bits >> FractionBits & 15, bits & 7);
        var size = exponent == 0
            ? MathF.ScaleB(fraction, SmallestExponent - FractionBits)
            : MathF.ScaleB(8 + fraction, exponent - Bias - FractionBits);
        return (bits & 0x80) != 0 ? -size : size;
    }
}
