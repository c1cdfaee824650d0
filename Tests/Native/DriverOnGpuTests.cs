using EfficientAD.Backends;
using EfficientAD.Backends.Cuda;
using EfficientAD.Native;
using EfficientAD.Tests.Gpu;

namespace EfficientAD.Tests.Native;

/// <summary>The driver's own answers, where there is a GPU: what the simulator only imitates.</summary>
[Trait(RealGpu.Trait, RealGpu.Needed)]
public class DriverOnGpuTests
{
    [Fact]
    public void Kernel_RunsByItselfAndFromAGraph()
    {
        CudaContext context = RealGpu.OpenOrSkip();
        using var stream = new CudaStream(context);
        using var files = new KernelLibrary(context);
        CudaKernel add = files.Get("add", "add");
        const int count = 1000;
        using DeviceBuffer source = new(stream, count * sizeof(float)), sum = new(stream, count * sizeof(float));
        stream.Fill(BitConverter.SingleToUInt32Bits(1.5f), source.Address, count);
        stream.Fill(0, sum.Address, count);
        add.Launch(stream, new LaunchShape(new Extent(4), new Extent(256)), source.Address, sum.Address, (long)count);
        using CudaGraph graph = stream.Capture(() => add.Launch(
            stream, new LaunchShape(new Extent(4), new Extent(256)), source.Address, sum.Address, (long)count));
        graph.Launch(stream);
        graph.Launch(stream);
        float[] back = new float[count];
        stream.Download(sum.Address, back);
        Assert.All(back, value => Assert.Equal(4.5f, value));
        Assert.InRange(add.Registers, 1, 255);
        Assert.InRange(add.BlocksPerMultiprocessor(256), 1, 32);
    }

    [Fact]
    public void PinnedMemoryAndEvents_WorkAcrossStreams()
    {
        CudaContext context = RealGpu.OpenOrSkip();
        using CudaStream first = new(context), second = new(context);
        using PinnedBuffer pinned = new(context, 4096), back = new(context, 4096);
        using var buffer = new DeviceBuffer(first, 4096);
        using CudaEvent start = new(context, timing: true), end = new(context, timing: true);
        for (int i = 0; i < 1024; i++) pinned.AsSpan<int>()[i] = i;
        start.Record(first);
        first.Upload(pinned, buffer.Address);
        end.Record(first);
        second.Wait(end);
        second.Download(buffer.Address, back);
        second.Synchronize();
        Assert.Equal(pinned.AsSpan<int>().ToArray(), back.AsSpan<int>().ToArray());
        Assert.InRange(end.MillisecondsSince(start), 0, 60_000);
        Assert.True(first.IsDone && second.IsDone && end.IsDone);
    }

    [Fact]
    public void ForeignHandles_AreRecognised()
    {
        CudaContext owner = RealGpu.OpenOrSkip();
        using var work = new CudaStream(owner);
        using var context = CudaContext.FromHandle(owner.Handle);
        using var stream = CudaStream.FromHandle(context, work.Handle);
        Assert.Equal(owner.Device, context.Device);
        using var buffer = new DeviceBuffer(stream, 256);
        context.RequireDeviceMemory(buffer.Address);
        using var pinned = new PinnedBuffer(context, 256);
        Assert.Throws<ArgumentException>(() => context.RequireDeviceMemory(12345 * 256));
    }

    [Fact]
    public void BadPtx_ShowsWhatTheCompilerSays()
    {
        CudaContext context = RealGpu.OpenOrSkip();
        var error = Assert.Throws<CudaException>(() => new CudaModule(
            context, ".version 7.0\n.target sm_75\n.address_size 64\n.nonsense\n"u8, "nonsense.ptx"));
        Assert.Contains("The compiler says: ", error.Message);
    }

    [Fact]
    public void Device_ComputesAsTheCpu()
    {
        RealGpu.OpenOrSkip();
        Assert.All(Devices.Query().Cuda, candidate => Assert.Null(candidate.Unusable));
    }
}
