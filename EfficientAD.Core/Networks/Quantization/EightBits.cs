namespace EfficientAD.Networks.Quantization;

/// <summary>Numbers of 8 bits that tensor cores multiply. Activations behind a ReLU are never negative.</summary>
internal abstract class EightBits
{
    /// <summary>Activations 0 to 255, weights -127 to 127, sums in 32-bit integers: exact but for what each factor was
    /// rounded by.</summary>
    public static EightBits Int8 { get; } = new Integers();

    /// <summary>e4m3 for both: 4 bits of significand, from 2^-9 to 448; sums in float.</summary>
    public static EightBits Fp8 { get; } = new Floats();

    public static IReadOnlyList<EightBits> All { get; } = [Int8, Fp8];

    /// <summary>In options, the names of kernels and reports.</summary>
    public abstract string Name { get; }

    public abstract float LargestActivation { get; }

    public abstract float LargestWeight { get; }

    /// <summary>The nearest number that an activation can be, even where two are as near; the largest for anything
    /// beyond it.</summary>
    public abstract float RoundActivation(float value);

    /// <summary>Likewise of a weight.</summary>
    public abstract float RoundWeight(float value);

    /// <summary>The bits of a number that a weight can be.</summary>
    public abstract byte BitsOfWeight(float value);

    public override string ToString() => Name;

    private sealed class Integers : EightBits
    {
        public override string Name => "int8";

        public override float LargestActivation => byte.MaxValue;

        public override float LargestWeight => sbyte.MaxValue;

        public override float RoundActivation(float value) => Math.Clamp(MathF.Round(value), 0, LargestActivation);

        public override float RoundWeight(float value) => Math.Clamp(MathF.Round(value), -LargestWeight, LargestWeight);

        public override byte BitsOfWeight(float value) => (byte)(sbyte)value;
    }

    private sealed class Floats : EightBits
    {
        private const int FractionBits = 3, Bias = 7;
        private const float SmallestNormal = 1f / 64;

        public override string Name => "fp8";

        public override float LargestActivation => 448;

        public override float LargestWeight => 448;

        public override float RoundActivation(float value) => RoundWeight(MathF.Max(value, 0));

        public override float RoundWeight(float value)
        {
            float size = Math.Min(MathF.Abs(value), LargestWeight);
            float step = MathF.ScaleB(1, ExponentOf(size) - FractionBits);
            return MathF.CopySign(MathF.Round(size / step) * step, value);
        }

        public override byte BitsOfWeight(float value)
        {
            float size = MathF.Abs(value);
            int exponent = ExponentOf(size), fraction = (int)MathF.ScaleB(size, FractionBits - exponent);
            // A subnormal number lacks the leading bit, which then is not taken for an exponent.
            int magnitude = ((exponent + Bias - 1) << FractionBits) + fraction;
            return (byte)(magnitude | (float.IsNegative(value) ? 0x80 : 0));
        }

        private static int ExponentOf(float size) => MathF.ILogB(MathF.Max(size, SmallestNormal));
    }
}
