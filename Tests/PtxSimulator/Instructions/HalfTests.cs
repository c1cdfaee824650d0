using static EfficientAD.Tests.PtxSimulator.Instructions.OneInstruction;

namespace EfficientAD.Tests.PtxSimulator.Instructions;

/// <summary>Arithmetic of 16-bit floats: every result is the exact one, rounded once.</summary>
public class HalfTests
{
    [Theory]
    [InlineData("add.f16 %ho, %ha, %hb;", 0x3C00, 0x1000, 0, 0x3C00)]      // 1 + 2^-11: a tie, to even
    [InlineData("add.f16 %ho, %ha, %hb;", 0x3C01, 0x1000, 0, 0x3C02)]      // the next: a tie, to even
    [InlineData("sub.f16 %ho, %ha, %hb;", 0x3C00, 0x4000, 0, 0xBC00)]
    [InlineData("mul.f16 %ho, %ha, %hb;", 0x7BFF, 0x4000, 0, 0x7C00)]      // overflows
    [InlineData("fma.rn.f16 %ho, %ha, %hb, %hc;", 0x3C01, 0x3C01, 0xBC02, 0x0010)]  // (1 + e)^2 - 1 - 2 e = e^2 = 2^-20
    [InlineData("fma.rn.f16 %ho, %ha, %hb, %hc;", 0x3C00, 0x1000, 0x3C00, 0x3C00)]  // 1 + 2^-11: a tie, to even
    [InlineData("fma.rn.f16 %ho, %ha, %hb, %hc;", 0x1001, 0x3C00, 0x3C00, 0x3C01)]  // a little more than the tie
    [InlineData("min.f16 %ho, %ha, %hb;", 0x7E00, 0x3C00, 0, 0x3C00)]
    [InlineData("max.NaN.f16 %ho, %ha, %hb;", 0x7E00, 0x3C00, 0, 0x7FFF)]
    [InlineData("neg.f16 %ho, %ha;", 0x3C00, 0, 0, 0xBC00)]
    [InlineData("abs.f16 %ho, %ha;", 0xBC00, 0, 0, 0x3C00)]
    [InlineData("add.f16x2 %ro, %ra, %rb;", 0x3C004000, 0x3C003C00, 0, 0x40004200)]
    [InlineData("mul.f16x2 %ro, %ra, %rb;", 0x40004200, 0x40004000, 0, 0x44004600)]
    [InlineData("fma.rn.f16x2 %ro, %ra, %rb, %rc;", 0x40004200, 0x40004000, 0x3C003C00, 0x45004700)]
    [InlineData("fma.rn.relu.f16x2 %ro, %ra, %rb, %rc;", 0xC0004200, 0x40004000, 0x3C003C00, 0x00004700)]
    [InlineData("max.f16x2 %ro, %ra, %rb;", 0x3C004000, 0x40003C00, 0, 0x40004000)]
    [InlineData("add.bf16x2 %ro, %ra, %rb;", 0x3F803F80, 0x3F804000, 0, 0x40004040)]
    [InlineData("fma.rn.bf16 %ho, %ha, %hb, %hc;", 0x3F80, 0x3B80, 0x3F80, 0x3F80)]  // 1 + 2^-8: a tie, to even
    public void Result_IsTheKnownOne(string instruction, ulong a, ulong b, ulong c, ulong expected) =>
        Assert.Equal(expected, Run(instruction, a, b, c));
}
