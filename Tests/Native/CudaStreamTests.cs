using EfficientAD.Native;
using PtxSimulator.Driver;

namespace EfficientAD.Tests.Native;

public class CudaStreamTests
{
    [Fact]
    public void Values_ComeBackAsTheyWent()
    {
        using var own = new SimulatedContext();
        using var first = new DeviceBuffer(own.Stream, 3 * sizeof(double));
        using var second = new DeviceBuffer(own.Stream, 3 * sizeof(double));
        own.Stream.Upload<double>([1.5, double.NaN, -0.0], first.Address);
        own.Stream.Copy(first.Address, second.Address, 3 * sizeof(double));
        double[] back = new double[3];
        own.Stream.Download(second.Address, back);
        Assert.Equal([1.5, double.NaN, -0.0], back);
        Assert.True(double.IsNegative(back[2]));
    }

    [Fact]
    public void Fill_WritesWordsAndNoMore()
    {
        using var own = new SimulatedContext();
        using var buffer = new DeviceBuffer(own.Stream, 16);
        own.Stream.Upload<uint>([7, 7, 7, 7], buffer.Address);
        own.Stream.Fill(BitConverter.SingleToUInt32Bits(2.5f), buffer.Address + 4, 2);
        uint[] back = new uint[4];
        own.Stream.Download(buffer.Address, back);
        Assert.Equal([7u, 0x40200000u, 0x40200000u, 7u], back);
    }

    [Fact]
    public void PinnedMemory_IsFilledOnlyOnceTheStreamCameThere()
    {
        using var own = new SimulatedContext();
        using var buffer = new DeviceBuffer(own.Stream, 16);
        using var pinned = new PinnedBuffer(own.Context, 32);
        own.Stream.Upload<int>([1, 2, 3, 4], buffer.Address);
        pinned.AsSpan<int>().Fill(9);
        own.Stream.Download(buffer.Address, pinned, 16);
        own.Stream.Synchronize();
        Assert.True(own.Stream.IsDone);
        Assert.Equal([1, 2, 3, 4, 9, 9, 9, 9], pinned.AsSpan<int>().ToArray());
        pinned.AsSpan<int>()[..4].Fill(5);
        own.Stream.Upload(pinned, 16, buffer.Address);
        int[] back = new int[4];
        own.Stream.Download(buffer.Address, back);
        Assert.Equal([5, 5, 5, 5], back);
        var error = Assert.Throws<ArgumentException>(() => own.Stream.Upload(pinned, 33, buffer.Address));
        Assert.Equal("33 bytes do not fit a pinned buffer of 32. Make a larger one.", error.Message);
    }

    [Fact]
    public unsafe void RegisteredMemory_StaysItsOwners()
    {
        using var own = new SimulatedContext();
        using var buffer = new DeviceBuffer(own.Stream, 16);
        int[] frame = [1, 2, 3, 4], back = new int[4];
        fixed (int* first = frame)
        {
            using var pinned = PinnedBuffer.Register(own.Context, (nint)first, 16);
            own.Stream.Upload(pinned, buffer.Address);
            own.Stream.Synchronize();
        }
        own.Stream.Download(buffer.Address, back);
        Assert.Equal(frame, back);
        Assert.Equal([1, 2, 3, 4], frame);
    }

    [Fact]
    public void Event_OrdersStreamsAndTakesTheTime()
    {
        using var own = new SimulatedContext();
        using var other = new CudaStream(own.Context);
        using var buffer = new DeviceBuffer(own.Stream, 4);
        using var start = new CudaEvent(own.Context, timing: true);
        using var end = new CudaEvent(own.Context, timing: true);
        Assert.True(end.IsDone);
        start.Record(own.Stream);
        own.Stream.Fill(42, buffer.Address, 1);
        end.Record(own.Stream);
        other.Wait(end);
        int[] back = new int[1];
        other.Download(buffer.Address, back);
        Assert.Equal(42, back[0]);
        end.Synchronize();
        Assert.InRange(end.MillisecondsSince(start), 0, 60_000);
    }

    [Fact]
    public void EmptyCopies_CallNothing()
    {
        using var own = new SimulatedContext();
        own.Stream.Upload<float>([], 0);
        own.Stream.Download<float>(0, []);
        own.Stream.Copy(0, 0, 0);
        own.Stream.Fill(0, 0, 0);
        Assert.True(own.Stream.IsDone);
    }

    [Fact]
    public void DisposedStream_Throws()
    {
        using var own = new SimulatedContext();
        own.Stream.Dispose();
        Assert.Throws<ObjectDisposedException>(own.Stream.Synchronize);
        Assert.Throws<ObjectDisposedException>(() => own.Stream.Handle);
    }

    [Fact]
    public void TooMuchMemory_SaysHowMuch()
    {
        using var own = new SimulatedContext();
        var error = Assert.Throws<CudaException>(() => new DeviceBuffer(own.Stream, 1L << 40));
        Assert.True(error.IsOutOfMemory);
        Assert.False(error.IsContextLost);
        Assert.Equal("CUDA_ERROR_OUT_OF_MEMORY", error.Name);
        Assert.Contains("1,099,511,627,776 bytes were asked for on ", error.Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new DeviceBuffer(own.Stream, 0));
    }

    [Fact]
    public void MemoryWithoutPools_ServesToo()
    {
        var own = new SimulatedContext(WithoutPools);
        Assert.False(own.Driver.HasMemoryPools);
        Assert.False(own.Context.Device.HasMemoryPools);
        using (var buffer = new DeviceBuffer(own.Stream, 8))
        {
            own.Stream.Upload<long>([long.MinValue], buffer.Address);
            long[] back = new long[1];
            own.Stream.Download(buffer.Address, back);
            Assert.Equal(long.MinValue, back[0]);
        }
        own.Dispose();
        Assert.Empty(own.Leaks);

        static nint WithoutPools(string name) => name.StartsWith("cuMemPool", StringComparison.Ordinal)
            ? 0
            : SimulatedDriver.Export(name);
    }

    [Fact]
    public void Ring_HandsOutItsBuffersInTurn()
    {
        using var own = new SimulatedContext();
        using var buffer = new DeviceBuffer(own.Stream, 4);
        using var ring = new PinnedRing(own.Context, 2, 4);
        Assert.Throws<InvalidOperationException>(() => ring.Retire(own.Stream));
        List<nint> addresses = [];
        for (int i = 0; i < 4; i++)
        {
            PinnedBuffer next = ring.Next();
            addresses.Add(next.Address);
            next.AsSpan<int>()[0] = i;
            own.Stream.Upload(next, buffer.Address);
            ring.Retire(own.Stream);
        }
        int[] back = new int[1];
        own.Stream.Download(buffer.Address, back);
        Assert.Equal(3, back[0]);
        Assert.NotEqual(addresses[0], addresses[1]);
        Assert.Equal([addresses[0], addresses[1]], addresses[2..]);
    }
}
