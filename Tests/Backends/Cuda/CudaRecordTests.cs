using EfficientAD.Backends;
using EfficientAD.Backends.Cuda;
using EfficientAD.Tensors;
using PtxSimulator.Driver;

namespace EfficientAD.Tests.Backends.Cuda;

/// <summary>Work that becomes a graph at its second replay.</summary>
public sealed class CudaRecordTests : IDisposable
{
    private static readonly Shape Shape = new(1, 2, 6, 5);
    private static readonly SimulatedGpu Gpu = new();

    private readonly CudaBackend _backend = Gpu.Open();
    private readonly Tensor _input, _output, _large;

    public CudaRecordTests()
    {
        _input = _backend.Allocate(Shape);
        _output = _backend.Allocate(new Shape(1, 1, 1, 1));
        _large = _backend.Allocate(new Shape(1, 1, 300, 300));
    }

    [Fact]
    public void Replays_SeeTheValuesOfTheirTime()
    {
        using Recording recording = _backend.Record(() => _backend.Maximum(_input, _output));
        for (int i = 1; i <= 4; i++)
        {
            // Written by a kernel, as a detection's image is: no upload, so that the graph stays.
            _backend.CombineMaps(_input, _input, 0, 0, i, _input);
            recording.Replay();
            Assert.Equal(i, Read());
        }
    }

    [Fact]
    public void Graph_OutlivesTheGrowthOfScratchMemory()
    {
        using Recording recording = _backend.Record(() => _backend.Maximum(_input, _output));
        recording.Replay();
        recording.Replay();
        // 90,000 values: far more scratch memory than a maximum of 60 takes.
        using Tensor threshold = _backend.Allocate(_output.Shape);
        _backend.HardFeatureLoss(_large, _large, 0.5f, threshold, _output);
        _backend.CombineMaps(_input, _input, 0, 0, 7, _input);
        recording.Replay();
        Assert.Equal(7, Read());
    }

    [Fact]
    public void AWrittenTensor_MakesTheGraphAnew()
    {
        var gradient = new float[Shape.Count];
        using Recording recording = _backend.Record(() => _backend.Maximum(_input, _output));
        for (int i = 0; i < 6; i++)
        {
            Array.Fill(gradient, i);
            _backend.Upload(gradient, _input);
            recording.Replay();
            recording.Replay();
            Assert.Equal(i, Read());
        }
    }

    [Fact]
    public void WithoutGraphs_WorkRunsAsItIs()
    {
        using CudaBackend backend = Gpu.Open(new CudaOptions { UseGraphs = false });
        int runs = 0;
        using Recording recording = backend.Record(() => runs++);
        for (int i = 0; i < 3; i++) recording.Replay();
        Assert.Equal(3, runs);
    }

    [Fact]
    public void WithGraphs_WorkIsCalledTwice()
    {
        int runs = 0;
        using Recording recording = _backend.Record(() =>
        {
            runs++;
            _backend.Maximum(_input, _output);
        });
        for (int i = 0; i < 5; i++) recording.Replay();
        Assert.Equal(2, runs);
        Assert.Equal(0, Read());
    }

    [Fact]
    public void Disposal_LeavesNothingOnTheDevice()
    {
        var gpu = new SimulatedGpu();
        using (CudaBackend backend = gpu.Open())
        {
            using Tensor input = backend.Allocate(Shape), output = backend.Allocate(new Shape(1, 1, 1, 1));
            using Recording recording = backend.Record(() => backend.Maximum(input, output));
            recording.Replay();
            recording.Replay();
        }

        Assert.Empty(SimulatedDriver.Leaks(gpu.Ordinal));
    }

    public void Dispose()
    {
        _input.Dispose();
        _output.Dispose();
        _large.Dispose();
        _backend.Dispose();
    }

    private float Read()
    {
        var value = new float[1];
        _backend.Download(_output, value);
        return value[0];
    }
}
