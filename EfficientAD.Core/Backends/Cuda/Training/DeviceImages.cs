using EfficientAD.Native;
using EfficientAD.Training;

namespace EfficientAD.Backends.Cuda.Training;

/// <summary>An image in the device's memory, and behind it the sum of its luma.</summary>
internal sealed record ResidentImage(DeviceBuffer Memory, DeviceImage Image, nint LumaSum);

/// <summary>Training images in 8 bits on the device: sent when first asked for and kept while they fit a
/// budget.</summary>
/// <param name="budget">Bytes that may be kept.</param>
internal sealed class DeviceImages(CudaBackend backend, long budget) : IDisposable
{
    private readonly Dictionary<(ImageSet Set, int Index), ResidentImage> _kept = [];
    private readonly List<DeviceBuffer> _passing = [];
    private long _left = budget;

    public ResidentImage Find(ImageSet set, int index)
    {
        if (_kept.TryGetValue((set, index), out ResidentImage? kept)) return kept;
        ResidentImage sent = backend.Send(set[index].View);
        if (sent.Memory.Bytes > _left)
        {
            _passing.Add(sent.Memory);
            return sent;
        }

        _left -= sent.Memory.Bytes;
        return _kept[(set, index)] = sent;
    }

    /// <summary>Frees those that are not kept, once the stream has come so far.</summary>
    public void ForgetPassing()
    {
        foreach (DeviceBuffer memory in _passing) memory.Dispose();
        _passing.Clear();
    }

    public void Dispose()
    {
        ForgetPassing();
        foreach (ResidentImage image in _kept.Values) image.Memory.Dispose();
        _kept.Clear();
    }
}
