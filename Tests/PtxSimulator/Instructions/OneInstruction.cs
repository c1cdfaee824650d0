using System.Text.RegularExpressions;
using PtxSimulator;

namespace EfficientAD.Tests.PtxSimulator.Instructions;

/// <summary>Runs one instruction on given operands. Sources a, b, c: %ha to %hc, %ra to %rc, %da to %dc, %pa to %pc
/// hold their low 16, 32, 64 bits, and whether they differ from zero. Destinations: %ho, %ro, %do, %po.</summary>
internal static partial class OneInstruction
{
    private const string Load = """
        .reg .b16 %ha, %hb, %hc, %ho; .reg .b32 %ra, %rb, %rc, %ro;
        .reg .b64 %da, %db, %dc, %do; .reg .pred %pa, %pb, %pc, %po;
        ld.global.v2.u64 {%da, %db}, [%in];
        ld.global.u64 %dc, [%in+16];
        cvt.u16.u64 %ha, %da; cvt.u16.u64 %hb, %db; cvt.u16.u64 %hc, %dc;
        cvt.u32.u64 %ra, %da; cvt.u32.u64 %rb, %db; cvt.u32.u64 %rc, %dc;
        setp.ne.s64 %pa, %da, 0; setp.ne.s64 %pb, %db, 0; setp.ne.s64 %pc, %dc, 0;
        mul.wide.u32 %d0, %t, 8;
        add.s64 %d1, %out, %d0;

        """;

    public static ulong Run(string instruction, ulong a, ulong b = 0, ulong c = 0)
    {
        var store = Destination().Match(instruction).Value switch
        {
            "%ho" => "cvt.u64.u16 %d2, %ho;",
            "%ro" => "cvt.u64.u32 %d2, %ro;",
            "%po" => "selp.u64 %d2, 1, 0, %po;",
            _ => "mov.u64 %d2, %do;",
        };
        var body = $"{Load}\n{instruction}\n{store}\nst.global.u64 [%d1], %d2;";
        var results = PtxBench.Run<ulong, ulong>(body, [a, b, c, 0], 32);
        Assert.All(results, result => Assert.Equal(results[0], result));
        return results[0];
    }

    [GeneratedRegex("%[hrdp]o")]
    private static partial Regex Destination();

    public static ulong Bits(float value) => BitConverter.SingleToUInt32Bits(value);

    public static ulong Bits(double value) => BitConverter.DoubleToUInt64Bits(value);

    public static ulong Bits(Half value) => BitConverter.HalfToUInt16Bits(value);
}
