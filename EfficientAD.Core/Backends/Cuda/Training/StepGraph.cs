using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using EfficientAD.Native;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cuda.Training;

/// <summary>A step that a CUDA device repeats as one captured graph: what changes from step to step is sent as one
/// small block, which the graph's kernels read; losses come back while later steps run.</summary>
/// <remarks>For each step: <see cref="Send"/>, <see cref="Run"/>. The first step is given kernel by kernel, the second
/// captured. Not thread-safe.</remarks>
internal sealed class StepGraph : IDisposable
{
    /// <summary>Steps whose losses are under way while the next is given.</summary>
    public const int Delay = 4;

    private readonly CudaBackend _backend;
    private readonly CudaStream _stream;
    private readonly IReadOnlyList<Tensor> _losses;
    private readonly Action _work;
    private readonly PinnedRing _blocks;
    private readonly DeviceBuffer _block, _lossValues;
    private readonly PinnedBuffer[] _results;
    private readonly CudaEvent[] _arrived;
    private CudaGraph? _graph;

    /// <param name="losses">One number each.</param>
    /// <param name="extraBytes">Of the block, for the work's own use.</param>
    /// <param name="work">The same each time: what changes stands in the block.</param>
    public StepGraph(CudaBackend backend, IReadOnlyList<Tensor> losses, long extraBytes, Action work)
    {
        (_backend, _stream, _losses, _work) = (backend, backend.Stream, losses, work);
        long bytes = Unsafe.SizeOf<Values>() + extraBytes;
        _block = new DeviceBuffer(_stream, bytes);
        _blocks = new PinnedRing(_stream.Context, Delay, bytes);
        _lossValues = new DeviceBuffer(_stream, losses.Count * sizeof(float));
        _results = new PinnedBuffer[Delay + 1];
        _arrived = new CudaEvent[Delay + 1];
        for (int i = 0; i <= Delay; i++)
        {
            _results[i] = new PinnedBuffer(_stream.Context, losses.Count * sizeof(float));
            _arrived[i] = new CudaEvent(_stream.Context);
        }
    }

    /// <summary>Steps given so far.</summary>
    public int Steps { get; private set; }

    /// <summary>Where the block's own part lies on the device.</summary>
    public nint ExtraAddress => _block.Address + Unsafe.SizeOf<Values>();

    /// <summary>Sends what the next step takes.</summary>
    /// <param name="streams">Random streams that it lies behind those with which dropout is called.</param>
    /// <param name="settings">Take the place of those with which the work calls Adam.</param>
    /// <param name="step">1 for the first step.</param>
    public void Send(ulong streams, AdamSettings settings, int step, ReadOnlySpan<byte> extra)
    {
        var c = new AdamCoefficients(settings, step);
        var values = new Values { Streams = streams, Correction2 = c.Correction2, StepSize = c.StepSize };
        PinnedBuffer block = _blocks.Next();
        MemoryMarshal.AsBytes(new ReadOnlySpan<Values>(in values)).CopyTo(block.AsSpan<byte>());
        extra.CopyTo(block.AsSpan<byte>()[Unsafe.SizeOf<Values>()..]);
        _stream.Upload(block, _block.Address);
        _blocks.Retire(_stream);
    }

    /// <summary>Gives the step to the device.</summary>
    public void Run()
    {
        if (_graph is null && Steps > 0 && _backend.CanCapture) _graph = _stream.Capture(Work);
        if (_graph is not null) _graph.Launch(_stream);
        else Work();
        int slot = Steps % _results.Length;
        _stream.Download(_lossValues.Address, _results[slot]);
        _arrived[slot].Record(_stream);
        Steps++;
    }

    /// <summary>Waits for a step.</summary>
    /// <param name="step">One of the last <see cref="Delay"/> + 1, counted from 0.</param>
    /// <returns>Its losses; valid until the next step.</returns>
    public ReadOnlySpan<float> LossesOf(int step)
    {
        int slot = step % _results.Length;
        _arrived[slot].Synchronize();
        return _results[slot].AsSpan<float>();
    }

    public void Dispose()
    {
        _graph?.Dispose();
        _blocks.Dispose();
        AwaitResults();
        foreach (PinnedBuffer result in _results) result.Dispose();
        foreach (CudaEvent arrived in _arrived) arrived.Dispose();
        _block.Dispose();
        _lossValues.Dispose();
    }

    private void AwaitResults()
    {
        try
        {
            foreach (CudaEvent arrived in _arrived) arrived.Synchronize();
        }
        catch (CudaException)
        {
            // The context was lost, and who reads losses is told; no copy will come any more.
        }
    }

    private void Work()
    {
        _backend.StepValues = _block.Address;
        try
        {
            _work();
        }
        finally
        {
            _backend.StepValues = 0;
        }

        for (int i = 0; i < _losses.Count; i++)
            _stream.Copy(_losses[i].Address, _lossValues.Address + i * sizeof(float), sizeof(float));
    }

    /// <summary>As step.cuh has it.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Values
    {
        public ulong Streams;
        public float Correction2, StepSize;
    }
}
