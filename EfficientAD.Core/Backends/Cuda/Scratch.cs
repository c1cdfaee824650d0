using EfficientAD.Native;

namespace EfficientAD.Backends.Cuda;

/// <summary>Device memory for what an operation writes and reads again while it runs. All operations share it: the
/// stream runs one after the other.</summary>
/// <remarks>Outgrown memory is kept until disposal, because captured graphs hold its address; at least doubling keeps
/// all of it below twice the largest.</remarks>
internal sealed class Scratch(CudaStream stream) : IDisposable
{
    /// <summary>What every part should start at a multiple of.</summary>
    private const long Alignment = 256;

    private readonly List<DeviceBuffer> _buffers = [];

    /// <summary>At least so many bytes; the values are whatever was there. Allocates nothing once it has been as
    /// much.</summary>
    public nint Reserve(long bytes)
    {
        long held = _buffers.Count == 0 ? 0 : _buffers[^1].Bytes;
        if (held < bytes) _buffers.Add(new DeviceBuffer(stream, Align(Math.Max(bytes, 2 * held))));
        return _buffers[^1].Address;
    }

    /// <summary>The room that a part of so many bytes takes among others.</summary>
    public static long Align(long bytes) => checked(bytes + Alignment - 1) / Alignment * Alignment;

    public void Dispose()
    {
        foreach (DeviceBuffer buffer in _buffers) buffer.Dispose();
    }
}
