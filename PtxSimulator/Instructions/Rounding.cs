namespace PtxSimulator.Instructions;

internal enum RoundingMode
{
    /// <summary>None is named: the result is exact.</summary>
    Exact,
    Nearest,
    Zero,
    Down,
    Up,
    NearestAway,
}

/// <summary>Rounds real numbers to narrower formats. Sums are first rounded to odd in double, which keeps what decides
/// the second rounding.</summary>
internal static class Rounding
{
    public const uint CanonicalNaN = 0x7FFFFFFF;

    /// <summary>a + b rounded to odd: if inexact, the last bit is one.</summary>
    public static double AddToOdd(double a, double b)
    {
        var sum = a + b;
        if (!double.IsFinite(sum)) return sum;
        var part = sum - a;
        var error = a - (sum - part) + (b - part);
        if (error == 0 || (BitConverter.DoubleToInt64Bits(sum) & 1) != 0) return sum;
        return BitConverter.Int64BitsToDouble(BitConverter.DoubleToInt64Bits(sum) + (error > 0 == sum > 0 ? 1 : -1));
    }

    /// <summary>Rounds a quotient to odd, given the sign of what it leaves over.</summary>
    public static double ToOdd(double value, double remainder)
    {
        if (remainder == 0 || !double.IsFinite(value) || (BitConverter.DoubleToInt64Bits(value) & 1) != 0) return value;
        return BitConverter.Int64BitsToDouble(
            BitConverter.DoubleToInt64Bits(value) + (remainder > 0 == value > 0 ? 1 : -1));
    }

    public static float ToSingle(double value, RoundingMode mode)
    {
        var nearest = (float)value;
        if (float.IsNaN(nearest)) return BitConverter.UInt32BitsToSingle(CanonicalNaN);
        return mode switch
        {
            RoundingMode.Zero when Math.Abs((double)nearest) > Math.Abs(value) =>
                value > 0 ? float.BitDecrement(nearest) : float.BitIncrement(nearest),
            RoundingMode.Down when nearest > value => float.BitDecrement(nearest),
            RoundingMode.Up when nearest < value => float.BitIncrement(nearest),
            _ => nearest,
        };
    }

    public static Half ToHalf(double value, RoundingMode mode)
    {
        var nearest = (Half)value;
        if (Half.IsNaN(nearest)) return BitConverter.UInt16BitsToHalf(0x7FFF);
        return mode switch
        {
            RoundingMode.Zero when Math.Abs((double)nearest) > Math.Abs(value) =>
                value > 0 ? Half.BitDecrement(nearest) : Half.BitIncrement(nearest),
            RoundingMode.Down when (double)nearest > value => Half.BitDecrement(nearest),
            RoundingMode.Up when (double)nearest < value => Half.BitIncrement(nearest),
            _ => nearest,
        };
    }

    /// <summary>The 16 bits of the bfloat16 next to a number.</summary>
    public static ushort ToBrain(double value, RoundingMode mode)
    {
        if (double.IsNaN(value)) return 0x7FFF;
        // Rounding to odd first, on 24 bits, leaves the decision to the second rounding.
        var truncated = BitConverter.SingleToUInt32Bits(ToSingle(value, RoundingMode.Zero));
        if (double.IsFinite(value) && BitConverter.UInt32BitsToSingle(truncated) != value) truncated |= 1;
        if (mode == RoundingMode.Nearest) truncated += 0x7FFF + (truncated >> 16 & 1);
        return (ushort)(truncated >> 16);
    }

    public static float FromBrain(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    /// <summary>Rounds to an integer as .rni, .rzi, .rmi and .rpi do.</summary>
    public static double ToInteger(double value, RoundingMode mode) => mode switch
    {
        RoundingMode.Nearest => Math.Round(value, MidpointRounding.ToEven),
        RoundingMode.Zero => Math.Truncate(value),
        RoundingMode.Down => Math.Floor(value),
        RoundingMode.Up => Math.Ceiling(value),
        _ => value,
    };

    public static float Flush(float value) => float.IsSubnormal(value) ? float.CopySign(0, value) : value;
}
