using static EfficientAD.Tests.PtxSimulator.Instructions.OneInstruction;

namespace EfficientAD.Tests.PtxSimulator.Instructions;

/// <summary>Arithmetic of float32 and float64, comparisons and conversions against values worked out by hand.</summary>
public class FloatTests
{
    private const ulong NaN = 0x7FFFFFFF;
    private static readonly float Tiny = BitConverter.UInt32BitsToSingle(1);

    public static TheoryData<string, ulong, ulong, ulong, ulong> Singles => new()
    {
        { "add.f32 %ro, %ra, %rb;", Bits(1f), Bits(2f), 0, Bits(3f) },
        { "add.f32 %ro, %ra, %rb;", Bits(float.PositiveInfinity), Bits(float.NegativeInfinity), 0, NaN },
        { "add.rz.f32 %ro, %ra, %rb;", Bits(1f), Bits(-1e-10f), 0, Bits(BitConverter.UInt32BitsToSingle(0x3F7FFFFF)) },
        { "add.rp.f32 %ro, %ra, %rb;", Bits(1f), Bits(1e-10f), 0, 0x3F800001 },
        { "sub.f32 %ro, %ra, %rb;", Bits(1f), Bits(2f), 0, Bits(-1f) },
        { "mul.f32 %ro, %ra, %rb;", Bits(3f), Bits(-2f), 0, Bits(-6f) },
        { "mul.ftz.f32 %ro, %ra, %rb;", Bits(Tiny), Bits(-1f), 0, Bits(-0f) },
        { "mul.f32 %ro, %ra, %rb;", Bits(Tiny), Bits(-1f), 0, Bits(-Tiny) },
        { "fma.rn.f32 %ro, %ra, %rb, %rc;", Bits(1.0000001f), Bits(1.0000001f), Bits(-1f),
            Bits(MathF.FusedMultiplyAdd(1.0000001f, 1.0000001f, -1f)) },
        { "fma.rz.f32 %ro, %ra, %rb, %rc;", Bits(1f), Bits(1f), Bits(-1e-20f), 0x3F7FFFFF },
        { "fma.rm.f32 %ro, %ra, %rb, %rc;", Bits(-1f), Bits(1f), Bits(-1e-20f), 0xBF800001 },
        { "div.rn.f32 %ro, %ra, %rb;", Bits(1f), Bits(3f), 0, Bits(1f / 3f) },
        { "div.rz.f32 %ro, %ra, %rb;", Bits(2f), Bits(3f), 0, 0x3F2AAAAA },
        { "rcp.rn.f32 %ro, %ra;", Bits(3f), 0, 0, Bits(1f / 3f) },
        { "sqrt.rn.f32 %ro, %ra;", Bits(2f), 0, 0, Bits(MathF.Sqrt(2)) },
        { "sqrt.rn.f32 %ro, %ra;", Bits(-2f), 0, 0, NaN },
        { "min.f32 %ro, %ra, %rb;", Bits(float.NaN), Bits(2f), 0, Bits(2f) },
        { "max.f32 %ro, %ra, %rb;", Bits(-0f), Bits(0f), 0, Bits(0f) },
        { "min.f32 %ro, %ra, %rb;", Bits(0f), Bits(-0f), 0, Bits(-0f) },
        { "max.NaN.f32 %ro, %ra, %rb;", Bits(float.NaN), Bits(2f), 0, NaN },
        { "neg.f32 %ro, %ra;", Bits(0f), 0, 0, Bits(-0f) },
        { "abs.f32 %ro, %ra;", Bits(-3f), 0, 0, Bits(3f) },
        { "copysign.f32 %ro, %ra, %rb;", Bits(-1f), Bits(3f), 0, Bits(-3f) },
        { "ex2.approx.f32 %ro, %ra;", Bits(5f), 0, 0, Bits(32f) },
        { "ex2.approx.ftz.f32 %ro, %ra;", Bits(-140f), 0, 0, Bits(0f) },
        { "lg2.approx.f32 %ro, %ra;", Bits(8f), 0, 0, Bits(3f) },
        { "rsqrt.approx.f32 %ro, %ra;", Bits(4f), 0, 0, Bits(0.5f) },
        { "sin.approx.f32 %ro, %ra;", Bits(0f), 0, 0, Bits(0f) },
        { "cos.approx.f32 %ro, %ra;", Bits(0f), 0, 0, Bits(1f) },
        { "tanh.approx.f32 %ro, %ra;", Bits(100f), 0, 0, Bits(1f) },
    };

    public static TheoryData<string, ulong, ulong, ulong, ulong> Doubles => new()
    {
        { "add.f64 %do, %da, %db;", Bits(1d), Bits(1e-16), 0, Bits(1d) },
        { "mul.f64 %do, %da, %db;", Bits(3d), Bits(-2d), 0, Bits(-6d) },
        { "fma.rn.f64 %do, %da, %db, %dc;", Bits(3d), Bits(2d), Bits(1d), Bits(7d) },
        { "div.rn.f64 %do, %da, %db;", Bits(1d), Bits(3d), 0, Bits(1d / 3d) },
        { "sqrt.rn.f64 %do, %da;", Bits(2d), 0, 0, Bits(Math.Sqrt(2)) },
        { "min.f64 %do, %da, %db;", Bits(double.NaN), Bits(-2d), 0, Bits(-2d) },
    };

    public static TheoryData<string, ulong, ulong, ulong, ulong> Comparisons => new()
    {
        { "setp.lt.f32 %po, %ra, %rb;", Bits(1f), Bits(2f), 0, 1 },
        { "setp.lt.f32 %po, %ra, %rb;", Bits(float.NaN), Bits(2f), 0, 0 },
        { "setp.ltu.f32 %po, %ra, %rb;", Bits(float.NaN), Bits(2f), 0, 1 },
        { "setp.ne.f32 %po, %ra, %rb;", Bits(float.NaN), Bits(2f), 0, 0 },
        { "setp.neu.f32 %po, %ra, %rb;", Bits(float.NaN), Bits(2f), 0, 1 },
        { "setp.nan.f32 %po, %ra, %rb;", Bits(1f), Bits(float.NaN), 0, 1 },
        { "setp.num.f32 %po, %ra, %rb;", Bits(1f), Bits(float.NaN), 0, 0 },
        { "setp.eq.ftz.f32 %po, %ra, %rb;", Bits(Tiny), Bits(0f), 0, 1 },
        { "setp.ge.f64 %po, %da, %db;", Bits(1d), Bits(1d), 0, 1 },
        { "setp.gt.s32 %po, %ra, %rb;", 0xFFFFFFFF, 1, 0, 0 },
        { "setp.gt.u32 %po, %ra, %rb;", 0xFFFFFFFF, 1, 0, 1 },
        { "setp.lt.s64 %po, %da, %db;", ulong.MaxValue, 1, 0, 1 },
        { "setp.lt.u64 %po, %da, %db;", ulong.MaxValue, 1, 0, 0 },
        { "setp.lt.s16 %po, %ha, %hb;", 0xFFFF, 1, 0, 1 },
        { "setp.lt.u16 %po, %ha, %hb;", 0xFFFF, 1, 0, 0 },
        { "setp.hi.u32 %po, %ra, %rb;", 2, 1, 0, 1 },
        { "setp.eq.and.s32 %po, %ra, %rb, %pc;", 1, 1, 0, 0 },
        { "setp.eq.or.s32 %po, %ra, %rb, %pc;", 1, 2, 1, 1 },
        { "setp.eq.and.s32 %po, %ra, %rb, !%pc;", 1, 1, 0, 1 },
        { "setp.lt.f16 %po, %ha, %hb;", Bits((Half)1), Bits((Half)2), 0, 1 },
    };

    public static TheoryData<string, ulong, ulong, ulong, ulong> Conversions => new()
    {
        { "cvt.rn.f32.s32 %ro, %ra;", 0xFFFFFFFF, 0, 0, Bits(-1f) },
        { "cvt.rn.f32.u32 %ro, %ra;", 0xFFFFFFFF, 0, 0, Bits(4294967296f) },
        { "cvt.rz.f32.u32 %ro, %ra;", 0xFFFFFFFF, 0, 0, 0x4F7FFFFF },
        { "cvt.rn.f32.s64 %ro, %da;", (1ul << 60) + (1ul << 36) + 1, 0, 0, 0x5D800001 },
        { "cvt.rn.f32.u64 %ro, %da;", ulong.MaxValue, 0, 0, Bits(18446744073709551616f) },
        { "cvt.rn.f64.u64 %do, %da;", ulong.MaxValue, 0, 0, Bits(18446744073709551616d) },
        { "cvt.rn.f64.s32 %do, %ra;", 0xFFFFFFFE, 0, 0, Bits(-2d) },
        { "cvt.rzi.s32.f32 %ro, %ra;", Bits(-2.9f), 0, 0, 0xFFFFFFFE },
        { "cvt.rni.s32.f32 %ro, %ra;", Bits(2.5f), 0, 0, 2 },
        { "cvt.rmi.s32.f32 %ro, %ra;", Bits(-2.1f), 0, 0, 0xFFFFFFFD },
        { "cvt.rpi.s32.f32 %ro, %ra;", Bits(2.1f), 0, 0, 3 },
        { "cvt.rzi.s32.f32 %ro, %ra;", Bits(1e20f), 0, 0, int.MaxValue },
        { "cvt.rzi.u32.f32 %ro, %ra;", Bits(-5f), 0, 0, 0 },
        { "cvt.rzi.s32.f32 %ro, %ra;", Bits(float.NaN), 0, 0, 0 },
        { "cvt.rzi.u64.f64 %do, %da;", Bits(1e19), 0, 0, 10000000000000000000 },
        { "cvt.rni.f32.f32 %ro, %ra;", Bits(3.5f), 0, 0, Bits(4f) },
        { "cvt.sat.f32.f32 %ro, %ra;", Bits(3.5f), 0, 0, Bits(1f) },
        { "cvt.sat.f32.f32 %ro, %ra;", Bits(float.NaN), 0, 0, Bits(0f) },
        { "cvt.f64.f32 %do, %ra;", Bits(0.1f), 0, 0, Bits((double)0.1f) },
        { "cvt.rn.f32.f64 %ro, %da;", Bits(0.1), 0, 0, Bits(0.1f) },
        { "cvt.rp.f32.f64 %ro, %da;", Bits(1 + 1e-12), 0, 0, 0x3F800001 },
        { "cvt.rn.f16.f32 %ho, %ra;", Bits(65520f), 0, 0, 0x7C00 },
        { "cvt.rz.f16.f32 %ho, %ra;", Bits(65520f), 0, 0, 0x7BFF },
        { "cvt.rn.f16.f32 %ho, %ra;", Bits(1 + 1f / 2048), 0, 0, 0x3C00 },
        { "cvt.rn.relu.f16.f32 %ho, %ra;", Bits(-1f), 0, 0, 0 },
        { "cvt.f32.f16 %ro, %ha;", 0x0001, 0, 0, Bits(5.9604645e-8f) },
        { "cvt.rn.f16x2.f32 %ro, %ra, %rb;", Bits(1f), Bits(2f), 0, 0x3C004000 },
        { "cvt.rn.relu.f16x2.f32 %ro, %ra, %rb;", Bits(-1f), Bits(2f), 0, 0x4000 },
        { "cvt.rn.bf16x2.f32 %ro, %ra, %rb;", Bits(1f), Bits(1 + 1f / 256), 0, 0x3F803F80 },
        { "cvt.rn.bf16.f32 %ho, %ra;", Bits(1 + 3f / 256), 0, 0, 0x3F82 },
        { "cvt.rna.tf32.f32 %ro, %ra;", 0x3F801000, 0, 0, 0x3F802000 },
        { "cvt.rna.tf32.f32 %ro, %ra;", 0x3F800FFF, 0, 0, 0x3F800000 },
        { "cvt.u16.u32 %ho, %ra;", 0x12345, 0, 0, 0x2345 },
        { "cvt.s32.s8 %ro, %ra;", 0x80, 0, 0, 0xFFFFFF80 },
        { "cvt.u32.u8 %ro, %ra;", 0x180, 0, 0, 0x80 },
        { "cvt.s16.s8 %ho, %ha;", 0x80, 0, 0, 0xFF80 },
        { "cvt.s64.s32 %do, %ra;", 0xFFFFFFFF, 0, 0, ulong.MaxValue },
        { "cvt.u64.u32 %do, %ra;", 0xFFFFFFFF, 0, 0, 0xFFFFFFFF },
        { "cvt.s64.s16 %do, %ha;", 0x8000, 0, 0, 0xFFFFFFFFFFFF8000 },
        { "cvt.sat.u8.s32 %ro, %ra;", 300, 0, 0, 255 },
        { "cvt.sat.u8.s32 %ro, %ra;", 0xFFFFFFFF, 0, 0, 0 },
    };

    [Theory, MemberData(nameof(Singles)), MemberData(nameof(Doubles)), MemberData(nameof(Comparisons)),
        MemberData(nameof(Conversions))]
    public void Result_IsTheKnownOne(string instruction, ulong a, ulong b, ulong c, ulong expected) =>
        Assert.Equal(expected, Run(instruction, a, b, c));
}
