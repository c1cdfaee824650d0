using PtxSimulator;

namespace EfficientAD.Tests.PtxSimulator.Checking;

/// <summary>Planted faults of memory accesses, and what the message says about them.</summary>
public class MemoryFaultTests
{
    private const string Address = "mul.wide.u32 %d0, %t, 4; add.s64 %d1, %in, %d0; add.s64 %d2, %out, %d0;";

    [Fact]
    public void Read_BehindTheEnd_NamesTheAllocationThreadAndLine()
    {
        var fault = PtxBench.Fault($"{Address}\nld.global.f32 %f0, [%d1+132];");
        Assert.Equal(FaultKind.OutOfBounds, fault.Kind);
        Assert.Equal(new Extent(31, 0, 0), fault.Thread);
        Assert.Equal(new Extent(0, 0, 0), fault.Block);
        Assert.Equal("0 bytes after the end of input (256 bytes)", fault.Allocation);
        Assert.Contains("ld.global.f32 %f0, [%d1+132];", fault.Message);
        Assert.Equal("test", fault.Location!.Value.Kernel);
    }

    [Fact]
    public void Write_BeforeTheStart_IsFound()
    {
        var fault = PtxBench.Fault($"{Address}\nst.global.u32 [%d2+-4], %t;");
        Assert.Equal(FaultKind.OutOfBounds, fault.Kind);
        Assert.Equal("4 bytes before output (256 bytes)", fault.Allocation);
    }

    [Fact]
    public void LineOfTheSource_ComesFromLoc()
    {
        var fault = PtxBench.Fault(
            $"{Address}\n.loc 1 42 7\nst.global.u32 [%d2+4096], %t;", declarations: ".file 1 \"kernel.cu\"");
        Assert.Equal(("kernel.cu", 42), (fault.Location!.Value.SourceFile, fault.Location.Value.SourceLine));
        Assert.Contains("kernel.cu(42)", fault.Message);
    }

    [Fact]
    public void HostPointer_IsRefused_EvenWithoutChecks()
    {
        var options = new SimulatedDeviceOptions { Checks = Checks.None, Counters = false, MemoryBytes = 1 << 20 };
        var fault = PtxBench.Fault("mov.u64 %d1, 4096; ld.global.u32 %r0, [%d1];", options: options);
        Assert.Equal(FaultKind.OutOfBounds, fault.Kind);
        Assert.Equal(4096ul, fault.Address);
    }

    [Fact]
    public void MisalignedVector_IsFound()
    {
        var fault = PtxBench.Fault("ld.global.v4.f32 {%f0, %f1, %f2, %f3}, [%in+8];");
        Assert.Equal(FaultKind.Misaligned, fault.Kind);
        Assert.Contains("16 bytes", fault.Message);
    }

    [Fact]
    public void Read_OfWhatNothingWrote_IsFound()
    {
        using var bench = new PtxBench();
        var input = bench.Buffer<float>(new float[32]);
        var fresh = bench.Device.Memory.Allocate(128, "fresh");
        var fault = Assert.Throws<SimulationException>(() => bench.Launch(
            $"{Address}\nld.global.f32 %f0, [%d2];", input, fresh));
        Assert.Equal(FaultKind.UninitializedRead, fault.Kind);
        Assert.Equal("byte 0 of fresh (128 bytes)", fault.Allocation);
        bench.Launch($"{Address}\nst.global.f32 [%d2], 0f00000000; ld.global.f32 %f0, [%d2];", input, fresh);
    }

    [Fact]
    public void Access_AfterFree_IsFound()
    {
        using var bench = new PtxBench();
        var (input, gone) = (bench.Buffer<float>(new float[32]), bench.Buffer<float>(new float[32], "gone"));
        bench.Device.Memory.Free(gone);
        var fault = Assert.Throws<SimulationException>(() => bench.Launch("ld.global.f32 %f0, [%out+8];", input, gone));
        Assert.Equal(FaultKind.UseAfterFree, fault.Kind);
        Assert.Equal("byte 8 of gone (128 bytes), which was freed", fault.Allocation);
    }

    [Theory]
    [InlineData("ld.shared.f32 %f0, [tile+64];", FaultKind.OutOfBounds)]
    [InlineData("ld.shared.f32 %f0, [tile+2];", FaultKind.Misaligned)]
    [InlineData("ld.shared.f32 %f0, [tile];", FaultKind.UninitializedRead)]
    [InlineData("mov.u64 %d1, tile; cvta.shared.u64 %d1, %d1; ld.f32 %f0, [%d1+64];", FaultKind.OutOfBounds)]
    [InlineData("st.local.u32 [stack+8], %t; ld.local.u32 %r0, [stack+12];", FaultKind.UninitializedRead)]
    [InlineData("ld.local.u32 %r0, [stack+16];", FaultKind.OutOfBounds)]
    public void SharedAndLocalMemory_AreWatchedToo(string access, FaultKind expected) =>
        Assert.Equal(expected, PtxBench.Fault(
            $".local .align 4 .b8 stack[16];\n{access}", declarations: ".shared .align 4 .b8 tile[64];").Kind);

    [Fact]
    public void SharedMemory_DoesNotKeepWhatTheBlockBeforeWrote()
    {
        using var bench = new PtxBench();
        var (input, output) = (bench.Buffer<float>(new float[32]), bench.Buffer<float>(new float[32]));
        var fault = Assert.Throws<SimulationException>(() => bench.Launch("""
            mov.u32 %r0, %ctaid.x;
            setp.eq.s32 %p0, %r0, 0;
            @%p0 st.shared.u32 [tile], 5;
            bar.sync 0;
            ld.shared.u32 %r1, [tile];
            """, input, output, blocks: 2, threads: 1, declarations: ".shared .align 4 .b8 tile[4];"));
        Assert.Equal(FaultKind.UninitializedRead, fault.Kind);
        Assert.Equal(new Extent(1, 0, 0), fault.Block);
    }

    [Fact]
    public void FaultOfTheFirstBlock_IsReported_WhateverTheWorkers()
    {
        for (var run = 0; run < 3; run++)
        {
            using var bench = new PtxBench(new SimulatedDeviceOptions { Workers = 4, MemoryBytes = 1 << 20 });
            var (input, output) = (bench.Buffer<float>(new float[32]), bench.Buffer<float>(new float[32]));
            var fault = Assert.Throws<SimulationException>(() => bench.Launch("""
                mov.u32 %r0, %ctaid.x;
                setp.lt.s32 %p0, %r0, 5;
                @%p0 ret;
                ld.global.u32 %r1, [%in+256];
                """, input, output, blocks: 40));
            Assert.Equal(new Extent(5, 0, 0), fault.Block);
        }
    }
}
