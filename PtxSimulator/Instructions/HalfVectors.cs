using System.Runtime.Intrinsics;

namespace PtxSimulator.Instructions;

/// <summary>Conversions between float16, in the low half of a lane, and float32.</summary>
internal static class HalfVectors
{
    private const uint Infinity = 0x7C00, NaN = 0x7FFF;

    public static Vector512<float> Expand(Vector512<uint> bits)
    {
        var magnitude = bits & Vector512.Create(0x7FFFu);
        var sign = (bits ^ magnitude) << 16;
        // The exponent moves from bias 15 to 127 by a multiplication, which makes subnormals normal too.
        var scaled = ((magnitude << 13).AsSingle() * Vector512.Create(5.192296858534828e33f)).AsUInt32();  // 2^112
        var special = Vector512.GreaterThanOrEqual(magnitude, Vector512.Create(Infinity));
        return (sign | scaled | special & Vector512.Create(0x7F800000u)).AsSingle();
    }

    /// <summary>Rounds to nearest, ties to even.</summary>
    public static Vector512<uint> Round(Vector512<float> value)
    {
        var bits = value.AsUInt32();
        var sign = bits & Vector512.Create(0x80000000u);
        var magnitude = bits ^ sign;
        var odd = magnitude >> 13 & Vector512.Create(1u);
        var normal = (magnitude + Vector512.Create(0xFFFu) + odd >> 13) - Vector512.Create(112u << 10);
        // Adding a half leaves what 2^-24, the least float16, divides; the addition rounds.
        var subnormal = (magnitude.AsSingle() + Vector512.Create(0.5f)).AsUInt32() - Vector512.Create(0x3F000000u);
        var result = Vector512.ConditionalSelect(
            Vector512.LessThan(magnitude, Vector512.Create(0x38800000u)), subnormal, normal);
        var overflows = Vector512.GreaterThanOrEqual(magnitude, Vector512.Create(0x477FF000u));
        result = sign >> 16 | Vector512.ConditionalSelect(overflows, Vector512.Create(Infinity), result);
        var isNumber = Vector512.LessThanOrEqual(magnitude, Vector512.Create(0x7F800000u));
        return Vector512.ConditionalSelect(isNumber, result, Vector512.Create(NaN));
    }
}
