using EfficientAD.Native;
using EfficientAD.Native.Driver;
using PtxSimulator.Driver;

namespace EfficientAD.Tests.Native;

public unsafe class CudaContextTests
{
    [Fact]
    public void UnknownDevice_SaysHowManyThereAre()
    {
        var error = Assert.Throws<CudaException>(() => CudaContext.Open(DriverStub.WithTwoDevices(), 2));
        Assert.Equal(
            "cuda:2 does not exist: the driver has 2 devices, numbered from 0. See 'efficientad devices'.",
            error.Message);
        Assert.Null(error.Function);
    }

    [Fact]
    public void EveryCall_LeavesTheThreadsContextAsItWas()
    {
        using var other = new SimulatedContext();
        using var own = new SimulatedContext();
        using CudaContext.Scope scope = other.Context.Enter();
        using var buffer = new DeviceBuffer(own.Stream, 64);
        using var pinned = new PinnedBuffer(own.Context, 64);
        using var marked = new CudaEvent(own.Context);
        own.Stream.Upload(pinned, buffer.Address);
        marked.Record(own.Stream);
        own.Stream.Synchronize();
        own.Context.Synchronize();
        Assert.Equal(other.Context.Handle, Current(own.Driver));
        using (own.Context.Enter())
        {
            Assert.Equal(own.Context.Handle, Current(own.Driver));
            using (own.Context.Enter()) Assert.Equal(own.Context.Handle, Current(own.Driver));
            Assert.Equal(own.Context.Handle, Current(own.Driver));
        }
        Assert.Equal(other.Context.Handle, Current(own.Driver));
    }

    [Fact]
    public void OrderOfDisposal_DoesNotMatter()
    {
        var own = new SimulatedContext();
        var buffer = new DeviceBuffer(own.Stream, 1000);
        var pinned = new PinnedBuffer(own.Context, 1000);
        var marked = new CudaEvent(own.Context);
        var module = own.Load("add");
        own.Context.Dispose();
        own.Stream.Dispose();
        module.Dispose();
        marked.Dispose();
        pinned.Dispose();
        buffer.Dispose();
        Assert.Empty(own.Leaks);
        Assert.Throws<ObjectDisposedException>(() => own.Context.Handle);
        Assert.Throws<ObjectDisposedException>(() => buffer.Address);
    }

    [Fact]
    public void LeftBehind_IsSeenByTheSimulator()
    {
        var own = new SimulatedContext();
        nint context = own.Context.Handle;
        own.Driver.cuCtxPushCurrent_v2(context);
        nint lost;
        Assert.Equal(CudaResult.Success, own.Driver.cuMemAlloc_v2(&lost, 1000));
        own.Driver.cuCtxPopCurrent_v2(&context);
        own.Dispose();
        Assert.Single(own.Leaks);
    }

    [Fact]
    public void ForeignContextAndStream_AreUsedAndNeverDestroyed()
    {
        using var application = new SimulatedContext();
        using (var context = CudaContext.FromHandle(application.Driver, application.Context.Handle))
        using (var stream = CudaStream.FromHandle(context, application.Stream.Handle))
        {
            Assert.Equal(application.Ordinal, context.Device.Index);
            Assert.Equal(application.Stream.Handle, stream.Handle);
            using var buffer = new DeviceBuffer(stream, 16);
            stream.Upload<int>([1, 2, 3, 4], buffer.Address);
            Span<int> values = stackalloc int[4];
            application.Stream.Download(buffer.Address, values);
            Assert.Equal([1, 2, 3, 4], values);
        }
        application.Stream.Synchronize();
        Assert.Equal(0, Current(application.Driver));
    }

    [Fact]
    public void StreamOfAnotherContext_IsRefused()
    {
        using var first = new SimulatedContext();
        using var second = new SimulatedContext();
        var error = Assert.Throws<ArgumentException>(() => CudaStream.FromHandle(first.Context, second.Stream.Handle));
        Assert.Contains(
            $"belongs to context 0x{second.Context.Handle:x}, not to 0x{first.Context.Handle:x}", error.Message);
    }

    [Fact]
    public void HostMemory_IsNoDeviceMemory()
    {
        using var own = new SimulatedContext();
        using var buffer = new DeviceBuffer(own.Stream, 16);
        own.Context.RequireDeviceMemory(buffer.Address);
        int onTheHost = 0;
        nint address = (nint)(&onTheHost);
        var error = Assert.Throws<ArgumentException>(() => own.Context.RequireDeviceMemory(address));
        Assert.StartsWith($"0x{address:x} is no address on a CUDA device.", error.Message);
    }

    [Fact]
    public void ContextWithoutHandle_IsRefused() =>
        Assert.Throws<ArgumentOutOfRangeException>(
            () => CudaContext.FromHandle(new CudaDriver(SimulatedDriver.Export), 0));

    private static nint Current(CudaDriver driver)
    {
        nint context;
        driver.ThrowIfFailed(driver.cuCtxGetCurrent(&context));
        return context;
    }
}
