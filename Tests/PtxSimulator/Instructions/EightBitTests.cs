namespace EfficientAD.Tests.PtxSimulator.Instructions;

/// <summary>Conversions to numbers of 8 bits, against what the manual says of single values.</summary>
public class EightBitTests
{
    /// <summary>The value nearest to x in the list of all 127 finite magnitudes, which is written here from the
    /// format's definition; of two as near, the one with an even last bit.</summary>
    [Fact]
    public void Conversion_ToEightBitFloats_FindsTheNearest()
    {
        double[] magnitudes = [.. Enumerable.Range(0, 127).Select(bits =>
            bits < 8 ? bits * Math.Pow(2, -9) : (1 + bits % 8 / 8.0) * Math.Pow(2, bits / 8 - 7))];
        var inputs =
            new List<float> { 0, -0f, float.PositiveInfinity, float.NegativeInfinity, 1e30f, -464, 465, 1e-30f };
        for (var i = 0; i < 126; i++)
        {
            var middle = (float)((magnitudes[i] + magnitudes[i + 1]) / 2);
            inputs.AddRange([(float)magnitudes[i], middle, -MathF.BitIncrement(middle), MathF.BitDecrement(middle)]);
        }

        var high = inputs.Select((_, i) => inputs[(i + 5) % inputs.Count]).ToArray();
        var pairs = Convert("cvt.rn.satfinite.e4m3x2.f32 %h0, %f0, %f1;", high, [.. inputs]);
        for (var i = 0; i < inputs.Count; i++)
            Assert.Equal((uint)(Nearest(high[i]) << 8 | Nearest(inputs[i])), pairs[i]);

        int Nearest(float value)
        {
            var size = Math.Abs((double)value);
            var best = Enumerable.Range(0, 127)
                .OrderBy(i => Math.Abs(magnitudes[i] - Math.Min(size, 448))).ThenBy(i => i % 2).First();
            return best | (float.IsNegative(value) ? 0x80 : 0);
        }
    }

    [Fact]
    public void Conversion_OfNan_IsNan() =>
        Assert.Equal(0x387Fu, Convert("cvt.rn.satfinite.e4m3x2.f32 %h0, %f0, %f1;", [1], [float.NaN])[0]);

    [Fact]
    public void Conversion_WithRelu_DropsWhatIsNegative() =>
        Assert.Equal(0x0038u, Convert("cvt.rn.satfinite.relu.e4m3x2.f32 %h0, %f0, %f1;", [-3], [1])[0]);

    [Theory]
    [InlineData("u8", 300, -5, 0x1234ABCD, 0xABCDFF00)]
    [InlineData("u8", 127, 128, 0, 0x00007F80)]
    [InlineData("s8", 300, -300, 0x00010002, 0x00027F80)]
    [InlineData("s8", -1, 5, 0, 0x0000FF05)]
    public void Pack_SaturatesAndKeepsTheThirdOperandAbove(string type, int a, int b, uint c, uint expected) =>
        Assert.Equal(
            expected,
            (uint)OneInstruction.Run($"cvt.pack.sat.{type}.s32.b32 %ro, %ra, %rb, %rc;", (uint)a, (uint)b, c));

    [Theory]
    [InlineData(-2.5f, -2)]
    [InlineData(2.5f, 2)]
    [InlineData(3.5f, 4)]
    [InlineData(1e20f, int.MaxValue)]
    [InlineData(float.NaN, 0)]
    public void Conversion_ToIntegers_RoundsToEvenAndSaturates(float value, int expected) =>
        Assert.Equal((uint)expected, (uint)OneInstruction.Run(
            "mov.b32 %f0, %ra; cvt.rni.s32.f32 %ro, %f0;", OneInstruction.Bits(value)));

    private static uint[] Convert(string instruction, float[] high, float[] low)
    {
        var results = new List<uint>();
        for (var first = 0; first < low.Length; first += 32)
        {
            var input = new float[64];
            for (var i = 0; i < 32 && first + i < low.Length; i++)
                (input[2 * i], input[2 * i + 1]) = (high[first + i], low[first + i]);
            results.AddRange(PtxBench.Run<float, uint>($"""
                mul.wide.u32 %d0, %t, 8;
                add.s64 %d1, %in, %d0;
                ld.global.v2.f32 {"{%f0, %f1}"}, [%d1];
                {instruction}
                cvt.u32.u16 %r0, %h0;
                mul.wide.u32 %d0, %t, 4;
                add.s64 %d1, %out, %d0;
                st.global.u32 [%d1], %r0;
                """, input, 32, capability: 89));
        }

        return [.. results];
    }
}
