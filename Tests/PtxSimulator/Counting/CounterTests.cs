using PtxSimulator.Counting;

namespace EfficientAD.Tests.PtxSimulator.Counting;

/// <summary>Counters against numbers worked out by hand.</summary>
public class CounterTests
{
    private static LaunchReport Run(string body, int threads = 32, int blocks = 1, string declarations = "")
    {
        using var bench = new PtxBench();
        var (input, output) = (bench.Buffer<float>(new float[4096]), bench.Buffer<float>(new float[4096], "output"));
        return bench.Launch(body, input, output, threads, blocks, declarations: declarations);
    }

    private static string Strided(int bytes) =>
        $"mul.wide.u32 %d0, %t, {bytes}; add.s64 %d1, %in, %d0; add.s64 %d2, %out, %d0;\n";

    [Theory]
    [InlineData(4, 4)]    // 128 bytes in a row
    [InlineData(8, 8)]    // every other word
    [InlineData(32, 32)]  // a sector each
    [InlineData(0, 1)]    // all the same
    public void Sectors_OfALoad_DependOnTheStride(int stride, long sectors)
    {
        var loads = Run(Strided(stride) + "ld.global.f32 %f0, [%d1];").GlobalLoads;
        Assert.Equal(new GlobalTraffic(1, 128, sectors, sectors), loads);
    }

    [Fact]
    public void DistinctSectors_CountOnce_WhatAllBlocksRead()
    {
        var loads = Run(Strided(4) + "ld.global.f32 %f0, [%d1]; ld.global.f32 %f1, [%d1];", blocks: 10).GlobalLoads;
        Assert.Equal(new GlobalTraffic(20, 2560, 80, 4), loads);
    }

    [Fact]
    public void MisalignedRow_TakesASectorMore() =>
        Assert.Equal(5, Run(Strided(4) + "ld.global.f32 %f0, [%d1+4];").GlobalLoads.Sectors);

    [Fact]
    public void InactiveLanes_AskForNothing() =>
        Assert.Equal(new GlobalTraffic(1, 32, 1, 1),
            Run(Strided(4) + "setp.lt.u32 %p1, %t, 8; @%p1 st.global.u32 [%d2], %t;").GlobalStores);

    [Theory]
    [InlineData("u32", 4, 1, 1)]
    [InlineData("u32", 8, 2, 1)]      // two lanes per bank
    [InlineData("u32", 128, 32, 1)]   // all in bank 0
    [InlineData("u32", 0, 1, 1)]      // one word for all
    [InlineData("u64", 8, 2, 2)]      // half warps
    [InlineData("u64", 16, 4, 2)]
    [InlineData("v4.u32", 16, 4, 4)]  // quarter warps
    [InlineData("v4.u32", 64, 16, 4)]
    public void BankCycles_OfALoad_DependOnTheStride(string type, int stride, long cycles, long ideal)
    {
        var registers = type switch { "u32" => "%r1", "u64" => "%d3", _ => "{%r1, %r2, %r3, %r4}" };
        const string Fill = """
            shl.b32 %r6, %t, 2;
            FILL:
            mov.u32 %r7, tile; add.s32 %r7, %r7, %r6;
            st.shared.u32 [%r7], 0;
            add.s32 %r6, %r6, 128;
            setp.lt.u32 %p1, %r6, 4096;
            @%p1 bra FILL;
            bar.sync 0;

            """;
        var place = $"mov.u32 %r8, tile; mul.lo.u32 %r9, %t, {stride}; add.s32 %r8, %r8, %r9;";
        var report = Run($"{Fill}{place} ld.shared.{type} {registers}, [%r8];",
            declarations: ".shared .align 16 .b8 tile[4096];");
        Assert.Equal((1, cycles, ideal),
            (report.SharedLoads.Instructions, report.SharedLoads.Cycles, report.SharedLoads.IdealCycles));
        Assert.Equal((32, 32L), (report.SharedStores.Instructions, report.SharedStores.Cycles));
        Assert.Equal(1, report.Barriers);
    }

    [Fact]
    public void Work_IsCountedByInstructionAndClass()
    {
        var report = Run("""
            mov.f32 %f0, 0f3f800000;
            setp.lt.u32 %p1, %t, 5;
            @%p1 fma.rn.f32 %f1, %f0, %f0, %f0;
            mov.u32 %r0, 0;
            mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32
                {%f4, %f5, %f6, %f7}, {%r0, %r0, %r0, %r0}, {%r0, %r0}, {%f0, %f0, %f0, %f0};
            """, threads: 64, blocks: 3);
        Assert.Equal(3 * 5, report.FmaMultiplyAdds);
        Assert.Equal(6 * 16 * 8 * 16, report.MmaMultiplyAdds);
        Assert.Equal(6, report.CountOf(InstructionClass.Mma));
        Assert.Equal(3, report.CountOf(InstructionClass.Float32));
        var fma = Assert.Single(report.Instructions, instruction => instruction.Class == InstructionClass.Float32);
        Assert.Equal((3, 15), (fma.Warps, fma.Threads));
        Assert.Equal(report.Instructions.Sum(instruction => instruction.Warps), report.WarpInstructions);
    }

    [Fact]
    public void Counters_DoNotDependOnTheWorkers()
    {
        LaunchReport With(int workers)
        {
            using var bench = new PtxBench(new() { Workers = workers, MemoryBytes = 1 << 20 });
            var (input, output) = (bench.Buffer<float>(new float[4096]), bench.Buffer<float>(new float[4096]));
            return bench.Launch(
                Strided(12) + "ld.global.f32 %f0, [%d1]; st.global.f32 [%d2], %f0;", input, output, 64, 20);
        }
        var (one, four) = (With(1), With(4));
        Assert.Equal(one.Instructions, four.Instructions);
        Assert.Equal((one.GlobalLoads, one.GlobalStores), (four.GlobalLoads, four.GlobalStores));
    }
}
