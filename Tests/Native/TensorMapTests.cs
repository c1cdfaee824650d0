using System.Text;
using EfficientAD.Native;
using EfficientAD.Tests.PtxSimulator.Hopper;
using PtxSimulator;

namespace EfficientAD.Tests.Native;

public class TensorMapTests
{
    // Brings a box of 2 x 8 halves, and stores its 32 bytes.
    private static readonly byte[] Kernel = Encoding.ASCII.GetBytes(HopperBench.Kernel("""
        mbarrier.init.shared::cta.b64 [bars], 1;
        fence.mbarrier_init.release.cluster;
        mov.u32 %r1, 0; mov.u32 %r2, 3;
        mbarrier.arrive.expect_tx.shared::cta.b64 _, [bars], 32;
        cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [tile], [%map, {%r1, %r2}], [bars];
        WAIT:
        mbarrier.try_wait.parity.shared::cta.b64 %p1, [bars], 0;
        @!%p1 bra WAIT;
        ld.shared.v4.u32 {%r4, %r5, %r6, %r7}, [tile];
        st.global.v4.u32 [%out], {%r4, %r5, %r6, %r7};
        ld.shared.v4.u32 {%r4, %r5, %r6, %r7}, [tile+16];
        st.global.v4.u32 [%out+16], {%r4, %r5, %r6, %r7};
        """, tileBytes: 1024));

    private static SimulatedContext Hopper() =>
        new(options: new SimulatedDeviceOptions { ComputeCapability = 90, MemoryBytes = 1 << 20 });

    [Fact]
    public void Kernel_TakesTheMapByValue()
    {
        using SimulatedContext own = Hopper();
        using var module = new CudaModule(own.Context, Kernel, "test.ptx");
        CudaKernel kernel = module.GetKernel("test");
        using var source = new DeviceBuffer(own.Stream, 5 * 16);
        using var target = new DeviceBuffer(own.Stream, 2 * 16);
        own.Stream.Upload<ushort>([.. Enumerable.Range(0, 40).Select(i => (ushort)i)], source.Address);
        using var map = new TensorMap(own.Context);
        map.Describe(source.Address, TensorSwizzle.None, new(8, 0, 8), new(5, 16, 2));
        kernel.Launch(own.Stream, new LaunchShape(new(1), new(1)), source.Address, target.Address, map);
        // The launch keeps what it was given.
        map.Describe(target.Address, TensorSwizzle.None, new TensorDimension(8, 0, 8));
        var written = new ushort[16];
        own.Stream.Download<ushort>(target.Address, written);
        Assert.Equal(Enumerable.Range(24, 16), written.Select(value => (int)value));
    }

    [Fact]
    public void MapInPlaceOfANumber_IsRefused()
    {
        using SimulatedContext own = Hopper();
        using var module = new CudaModule(own.Context, Kernel, "test.ptx");
        using var map = new TensorMap(own.Context);
        var error = Assert.Throws<ArgumentException>(() => module.GetKernel("test").Launch(
            own.Stream, new LaunchShape(new(1), new(1)), map, (nint)0, map));
        Assert.Equal("test: argument 0 has 128 bytes, the kernel's parameter 8.", error.Message);
    }

    [Fact]
    public void WrongSizes_AreTheDriversRefusal()
    {
        using SimulatedContext own = Hopper();
        using var map = new TensorMap(own.Context);
        var error = Assert.Throws<CudaException>(
            () => map.Describe(0x1000, TensorSwizzle.Bytes128, new(64, 0, 64), new(8, 120, 8)));
        Assert.Contains("120 bytes apart", error.Message);
    }

    [Fact]
    public void OlderDevice_HasNone()
    {
        using var own = new SimulatedContext();
        var error = Assert.Throws<NotSupportedException>(() => new TensorMap(own.Context));
        Assert.Contains("compute capability 8.6", error.Message);
    }
}
