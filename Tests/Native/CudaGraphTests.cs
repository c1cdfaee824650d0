using EfficientAD.Native;
using PtxSimulator.Driver;

namespace EfficientAD.Tests.Native;

public class CudaGraphTests
{
    [Fact]
    public void Recording_DoesNothingUntilItIsLaunched()
    {
        using var own = new SimulatedContext();
        using var buffer = new DeviceBuffer(own.Stream, 8);
        own.Stream.Fill(1, buffer.Address, 2);
        own.Stream.BeginCapture();
        Assert.True(own.Stream.IsCapturing);
        own.Stream.Copy(buffer.Address, buffer.Address + 4, 4);
        own.Stream.Fill(7, buffer.Address, 1);
        using CudaGraph graph = own.Stream.EndCapture();
        Assert.False(own.Stream.IsCapturing);
        Assert.Equal([1, 1], Read(own, buffer));
        graph.Launch(own.Stream);
        Assert.Equal([7, 1], Read(own, buffer));
        graph.Launch(own.Stream);
        Assert.Equal([7, 7], Read(own, buffer));
    }

    [Fact]
    public void RecordingThatThrows_LeavesTheStreamUsable()
    {
        using var own = new SimulatedContext();
        using var buffer = new DeviceBuffer(own.Stream, 8);
        Assert.Throws<InvalidOperationException>(() => own.Stream.Capture(() =>
        {
            own.Stream.Fill(1, buffer.Address, 2);
            throw new InvalidOperationException();
        }));
        Assert.False(own.Stream.IsCapturing);
        own.Stream.Fill(3, buffer.Address, 2);
        Assert.Equal([3, 3], Read(own, buffer));
    }

    [Fact]
    public void WaitingWhileRecording_SaysWhatIsNotAllowed()
    {
        using var own = new SimulatedContext();
        using var buffer = new DeviceBuffer(own.Stream, 8);
        var error = Assert.Throws<CudaException>(() => own.Stream.Capture(() => Read(own, buffer)));
        Assert.InRange(error.Code, 900, 901);
        Assert.EndsWith(
            "While a stream is captured, nothing may wait for it, and memory must already be allocated.",
            error.Message);
        own.Stream.Fill(3, buffer.Address, 2);
        Assert.Equal([3, 3], Read(own, buffer));
    }

    [Fact]
    public void OldDriver_SaysSinceWhenThereAreGraphs()
    {
        using var own = new SimulatedContext(WithoutGraphs);
        own.Stream.BeginCapture();
        var error = Assert.Throws<CudaException>(own.Stream.EndCapture);
        Assert.Equal(
            "Graphs need a driver for CUDA 11.4 or newer; this one is for 12.4. Update it, or work without graphs.",
            error.Message);

        static nint WithoutGraphs(string name) =>
            name == "cuGraphInstantiateWithFlags" ? 0 : SimulatedDriver.Export(name);
    }

    private static int[] Read(SimulatedContext own, DeviceBuffer buffer)
    {
        int[] values = new int[2];
        own.Stream.Download(buffer.Address, values);
        return values;
    }
}
