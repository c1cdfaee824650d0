using System.Text;
using EfficientAD.Native;
using EfficientAD.Native.Driver;

namespace EfficientAD.Tests.Native;

public class CudaKernelTests
{
    [Fact]
    public void Launch_RunsTheKernelOnItsArguments()
    {
        using var own = new SimulatedContext();
        using CudaModule module = own.Load("add");
        CudaKernel add = module.GetKernel("add");
        using var source = new DeviceBuffer(own.Stream, 3 * sizeof(float));
        using var destination = new DeviceBuffer(own.Stream, 3 * sizeof(float));
        own.Stream.Upload<float>([1, 2, 3], source.Address);
        own.Stream.Upload<float>([10, 20, 30], destination.Address);
        add.Launch(own.Stream, new LaunchShape(new Extent(1), new Extent(32)), source.Address, destination.Address, 2L);
        float[] back = new float[3];
        own.Stream.Download(destination.Address, back);
        Assert.Equal([11, 22, 30], back);
    }

    [Fact]
    public void UnknownKernel_SaysWhichThereAre()
    {
        using var own = new SimulatedContext();
        using CudaModule module = own.Load("resize_bilinear");
        Assert.Contains("resize_bilinear_forward", module.KernelNames);
        var error = Assert.Throws<ArgumentException>(() => module.GetKernel("resize_cubic"));
        Assert.StartsWith("ptx/resize_bilinear.sm_80.ptx has no kernel 'resize_cubic'. It holds: ", error.Message);
    }

    [Fact]
    public void WrongArguments_AreRefusedBeforeTheDriverSeesThem()
    {
        using var own = new SimulatedContext();
        using CudaModule module = own.Load("add");
        CudaKernel add = module.GetKernel("add");
        var shape = new LaunchShape(new Extent(1), new Extent(32));
        var error = Assert.Throws<ArgumentException>(() => add.Launch(own.Stream, shape, (nint)1, (nint)2));
        Assert.Equal("add takes 3 arguments, but 2 were given.", error.Message);
        error = Assert.Throws<ArgumentException>(() => add.Launch(own.Stream, shape, (nint)1, (nint)2, 3));
        Assert.Equal("add: argument 2 has 4 bytes, the kernel's parameter 8.", error.Message);
    }

    public static TheoryData<LaunchShape, string> ImpossibleShapes => new()
    {
        { new(new(0), new(32)), "add: a grid of 0 x 1 x 1 blocks" },
        { new(new(1, 65536), new(32)), "add: a grid of 1 x 65536 x 1 blocks" },
        { new(new(1, 1, 65536), new(32)), "add: a grid of 1 x 1 x 65536 blocks" },
        { new(new(1), new(0)), "add: a block of 0 x 1 x 1 threads" },
        { new(new(1), new(1025)), "add: a block of 1025 x 1 x 1 threads" },
        { new(new(1), new(32, 33)), "add: a block of 32 x 33 x 1 threads" },
        { new(new(1), new(1, 1, 65)), "add: a block of 1 x 1 x 65 threads" },
        { new(new(1), new(32), -1), "add: -1 bytes of dynamic shared memory" },
        { new(new(1), new(32), (99 << 10) + 1), "add: 101377 bytes of dynamic shared memory" },
    };

    [Theory, MemberData(nameof(ImpossibleShapes))]
    public void ImpossibleShape_IsRefusedWithWhatCanBe(LaunchShape shape, string start)
    {
        using var own = new SimulatedContext();
        using CudaModule module = own.Load("add");
        CudaKernel add = module.GetKernel("add");
        var error = Assert.Throws<ArgumentException>(() => add.Launch(own.Stream, shape, (nint)256, (nint)512, 1L));
        Assert.StartsWith(start, error.Message);
    }

    [Fact]
    public void LargestShape_IsTaken()
    {
        using var own = new SimulatedContext();
        using CudaModule module = own.Load("add");
        CudaKernel add = module.GetKernel("add");
        Assert.Equal(99 << 10, add.MaximumSharedBytes);
        Assert.InRange(add.Registers, 1, 255);
        Assert.Equal(0, add.LocalBytes);
        Assert.InRange(add.BlocksPerMultiprocessor(256), 1, 6);
        using var buffer = new DeviceBuffer(own.Stream, 1024 * sizeof(float));
        own.Stream.Fill(0, buffer.Address, 1024);
        var shape = new LaunchShape(new Extent(1), new Extent(1024), 99 << 10);
        add.Launch(own.Stream, shape, buffer.Address, buffer.Address, 1024L);
        own.Stream.Synchronize();
    }

    [Fact]
    public void KernelOfADisposedModule_Throws()
    {
        using var own = new SimulatedContext();
        CudaModule module = own.Load("add");
        CudaKernel add = module.GetKernel("add");
        module.Dispose();
        Assert.Throws<ObjectDisposedException>(
            () => add.Launch(own.Stream, new LaunchShape(new Extent(1), new Extent(32)), (nint)256, (nint)512, 1L));
    }

    [Fact]
    public void BadPtx_ShowsWhatTheCompilerSays()
    {
        using var own = new SimulatedContext();
        var error = Assert.Throws<CudaException>(
            () => new CudaModule(own.Context, ".version 7.0\n.target sm_80\n.nonsense\n"u8, "nonsense.ptx"));
        Assert.Equal("cuModuleLoadDataEx", error.Function);
        Assert.Contains(
            $"Module nonsense.ptx on {own.Context.Device.Name}, driver 12.4. The compiler says: ", error.Message);
    }

    [Fact]
    public void NewerPtx_SaysThatTheDriverIsOlder()
    {
        using var own = new SimulatedContext();
        var error = Assert.Throws<CudaException>(
            () => new CudaModule(own.Context, ".version 99.9\n.target sm_80\n.address_size 64\n"u8, "future.ptx"));
        Assert.Equal((222, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"), (error.Code, error.Name));
        Assert.EndsWith("The driver is older than the kernels: update it.", error.Message);
    }

    /// <summary>The simulator stands for the device, whose memory ends after the buffer.</summary>
    [Fact]
    public void FaultOfAKernel_LosesTheContext()
    {
        var own = new SimulatedContext();
        using CudaModule module = own.Load("add");
        CudaKernel add = module.GetKernel("add");
        using var buffer = new DeviceBuffer(own.Stream, 32 * sizeof(float));
        own.Stream.Fill(0, buffer.Address, 32);
        add.Launch(own.Stream, new LaunchShape(new Extent(1), new Extent(64)), buffer.Address, buffer.Address, 64L);
        var error = Assert.Throws<CudaException>(own.Stream.Synchronize);
        Assert.True(error.IsContextLost);
        Assert.Contains("the context is lost: dispose everything in it", error.Message);
        error = Assert.Throws<CudaException>(() => own.Stream.Fill(0, buffer.Address, 1));
        Assert.True(error.IsContextLost);
        own.Dispose();
    }

    [Theory]
    [InlineData(".visible .entry none()\n{", new int[0])]
    [InlineData(".entry bare\n{", new int[0])]
    [InlineData(
        ".visible .entry all(\n.param .u64 a,\n\t.param .f32 b, .param .u8 c,\n.param .align 8 .b8 d[24])",
        new[] { 8, 4, 1, 24 })]
    [InlineData(".entry newer(.param .u64 .ptr .global .align 4 a, .param .u64 .ptr b)", new[] { 8, 8 })]
    [InlineData("// .entry not(.param .u64 a)\n.entry $odd_1(.param .s16 a)", new[] { 2 })]
    public void Declarations_AreReadFromThePtx(string ptx, int[] sizes) =>
        Assert.Equal(sizes, Assert.Single(PtxEntry.ReadAll(ptx)).Value.ParameterBytes);

    [Fact]
    public void UnknownDeclaration_IsRefused()
    {
        var error = Assert.Throws<FormatException>(() => PtxEntry.ReadAll(".entry k(.param .pred p)"));
        Assert.Equal("PTX of k: cannot read the parameter '.param .pred p'.", error.Message);
    }
}
