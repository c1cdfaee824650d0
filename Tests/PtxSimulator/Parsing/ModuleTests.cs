using PtxSimulator;

namespace EfficientAD.Tests.PtxSimulator.Parsing;

/// <summary>What a module says of its kernels, and what is refused when it is loaded.</summary>
public class ModuleTests
{
    [Fact]
    public void Parameters_LieAtTheirAlignment()
    {
        var kernel = PtxModule.Parse("""
            .version 7.0
            .target sm_80
            .address_size 64
            .shared .align 4 .b8 unused[64];
            .visible .entry k(.param .u32 a, .param .u64 b, .param .align 8 .b8 c[20], .param .u8 d)
            .maxntid 128, 1, 1
            {
                .shared .align 16 .b8 tile[100];
                .local .align 8 .b8 stack[24];
                .reg .b32 %r<2>;
                ld.shared.u32 %r1, [tile];
                ret;
            }
            """, "k.ptx").Kernels["k"];
        Assert.Equal([(0, 4, 4), (8, 8, 8), (16, 20, 8), (36, 1, 1)],
            kernel.Parameters.Select(p => (p.Offset, p.Size, p.Alignment)));
        Assert.Equal((37, 100, 24, 128),
            (kernel.ParameterBytes, kernel.StaticSharedBytes, kernel.LocalBytes, kernel.MaxThreadsPerBlock));
    }

    [Theory]
    [InlineData("frob.b32 %r0, %r1;", "'frob.b32' is not simulated")]
    [InlineData("add.sat.s32 %r0, %t, %t;", "'add.sat.s32' is not simulated")]
    [InlineData("ld.global.frob.u32 %r0, [%in];", "is not simulated")]
    [InlineData("cvt.f16.f32 %h0, %f0;", "is not simulated")]
    [InlineData("add.s32 %r0, %d0, %t;", "cannot be read as 32 bits")]
    [InlineData("add.s32 %r0, %t;", "2 operands where 3 belong")]
    [InlineData("mov.u32 %r0, %unknown;", "%unknown cannot be read")]
    [InlineData("mov.u32 %missing, 0;", "cannot take 32 bits")]
    [InlineData("bra NOWHERE;", "label 'NOWHERE' stands nowhere")]
    [InlineData("add.s32 %r0, %r1, %t;", "reads register %r1, which nothing has written")]
    [InlineData("setp.eq.s32 %p1, %t, 0; @%p1 bra SKIP; ret; SKIP: add.s32 %r0, %r1, %t;", "reads register %r1")]
    [InlineData("ld.param.u32 %r0, [output+8];", "bytes from byte 16 leave the parameters, which end at byte 16")]
    [InlineData("add.s32 %r0 %r1;", "';' expected, found '%r1'")]
    public void Module_ThatCannotBeSimulated_IsRefused_WithItsLine(string body, string expected)
    {
        var exception = Assert.Throws<PtxFormatException>(() => PtxModule.Parse(PtxBench.Kernel(body), "test.ptx"));
        Assert.Equal(12, exception.Line);
        Assert.Contains(expected, exception.Message);
        Assert.StartsWith("test.ptx(12): ", exception.Message);
    }

    [Fact]
    public void InlineAssembly_MayRepeatItsNames() =>
        Assert.Equal([7], PtxBench.Run<int, int>("""
            mov.u32 %r0, 1;
            {.reg .pred p; .reg .b32 x; setp.ne.b32 p, %r0, 0; @p bra L; mov.u32 %r0, 9; L: mov.u32 x, 2;
                add.s32 %r0, %r0, x;}
            {.reg .pred p; .reg .b32 x; setp.ne.b32 p, %r0, 0; @p bra L; mov.u32 %r0, 9; L: mov.u32 x, 4;
                add.s32 %r0, %r0, x;}
            st.global.u32 [%out], %r0;
            """, [0], 1));

    [Fact]
    public void Constants_AndVariables_HaveTheirInitialValues() =>
        Assert.Equal([3, 4, 5], PtxBench.Run<int, int>("""
            ld.const.u32 %r0, [table+4];
            ld.global.u32 %r1, [counter];
            add.s32 %r1, %r1, 1; st.global.u32 [counter], %r1; ld.global.u32 %r1, [counter];
            ld.const.s8 %r2, [bytes+1];
            st.global.u32 [%out], %r0; st.global.u32 [%out+4], %r1; st.global.u32 [%out+8], %r2;
            """, [0], 3, threads: 1, declarations: """
            .const .align 4 .u32 table[2] = {2, 3};
            .global .align 4 .u32 counter = 3;
            .const .align 1 .b8 bytes[2] = {4, 5};
            """));

    [Theory]
    [InlineData(0, 32, 0, 16, "a grid of (0, 1, 1) blocks")]
    [InlineData(1, 2048, 0, 16, "a block of (2048, 1, 1) threads")]
    [InlineData(1, 32, 200_000, 16, "200000 bytes of shared memory; the device allows 101376")]
    [InlineData(1, 32, 0, 12, "12 bytes of parameters; the kernel takes 16")]
    public void ImpossibleLaunch_IsRefused(
        int blocks, int threads, int sharedBytes, int parameterBytes, string expected)
    {
        using var bench = new PtxBench();
        var kernel = PtxModule.Parse(PtxBench.Kernel(""), "test.ptx").Kernels["test"];
        var fault = Assert.Throws<SimulationException>(
            () => bench.Device.Run(kernel, new(blocks), new(threads), sharedBytes, new byte[parameterBytes]));
        Assert.Equal(FaultKind.InvalidLaunch, fault.Kind);
        Assert.Contains(expected, fault.Message);
    }
}
