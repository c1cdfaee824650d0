using EfficientAD.Backends.Cuda.Fused;
using EfficientAD.Native;

namespace EfficientAD.Backends.Cuda.Training;

/// <summary>Where all parameters and what Adam keeps of them lie, on the device: one launch then moves them
/// all.</summary>
internal sealed class AdamTable : IDisposable
{
    // As adam.cu has them.
    public const int Threads = 256;
    private const int ValuesOfChunk = 4 * Threads;

    private readonly DeviceBuffer _tensors, _chunks;

    /// <summary>Waits for the device.</summary>
    public AdamTable(CudaStream stream, IReadOnlyList<AdamTensors> parameters)
    {
        Parameters = parameters;
        List<long> tensors = [];
        List<(int Tensor, int Index)> chunks = [];
        for (int i = 0; i < parameters.Count; i++)
        {
            AdamTensors t = parameters[i];
            long count = t.Parameter.Shape.Count;
            tensors.AddRange(
                [t.Gradient.Address, t.FirstMoment.Address, t.SecondMoment.Address, t.Parameter.Address, count]);
            for (int chunk = 0; chunk * (long)ValuesOfChunk < count; chunk++) chunks.Add((i, chunk));
        }

        Chunks = chunks.Count;
        _tensors = DeviceArray.Upload<long>(stream, [.. tensors]);
        _chunks = DeviceArray.Upload<(int, int)>(stream, [.. chunks]);
    }

    public IReadOnlyList<AdamTensors> Parameters { get; }

    /// <summary>Blocks of the launch.</summary>
    public int Chunks { get; }

    public nint TensorsAddress => _tensors.Address;

    public nint ChunksAddress => _chunks.Address;

    public void Dispose()
    {
        _tensors.Dispose();
        _chunks.Dispose();
    }
}
