using EfficientAD.Detection;
using EfficientAD.Native;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>From the last layers' partial sums to both maps, the combined map at the image's size and its maximum.
/// Unpadded networks.</summary>
internal abstract class VerdictSource : IDisposable
{
    private readonly DeviceBuffer _scores;

    /// <param name="height">Of the networks' input in pixels.</param>
    /// <param name="width">Of the networks' input in pixels.</param>
    private protected VerdictSource(CudaStream stream, int samples, int height, int width)
    {
        var shape = new Shape(
            samples, 1, PatchDescriptionNetwork.OutputSize(height, padded: false),
            PatchDescriptionNetwork.OutputSize(width, padded: false));
        (LocalMap, GlobalMap) = (New(stream, shape), New(stream, shape));
        _scores = new DeviceBuffer(stream, samples * sizeof(float));
    }

    /// <summary>[samples, 1, h, w], raw.</summary>
    public Tensor LocalMap { get; }

    /// <summary>Likewise.</summary>
    public Tensor GlobalMap { get; }

    /// <summary>One float per sample.</summary>
    public nint Scores => _scores.Address;

    /// <summary>Whether the last launch had this scaling.</summary>
    public abstract bool HasScaling(MapScaling scaling);

    /// <summary>Takes effect from the next launch on.</summary>
    public abstract void SetScaling(MapScaling scaling);

    /// <param name="local">[parts, samples, h, w] float.</param>
    /// <param name="global">Likewise.</param>
    /// <param name="map">Overwritten; of the images' size.</param>
    public abstract void Launch(CudaStream stream, nint local, nint global, int samples, ScaledMap map);

    public virtual void Dispose()
    {
        LocalMap.Dispose();
        GlobalMap.Dispose();
        _scores.Dispose();
    }

    private static Tensor New(CudaStream stream, Shape shape)
    {
        var memory = new DeviceBuffer(stream, shape.Count * sizeof(float));
        stream.Fill(0, memory.Address, shape.Count);
        return new Tensor(shape, memory.Address, memory);
    }
}
