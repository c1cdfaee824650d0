using EfficientAD.Native;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>Values of the host, once and for all on the device.</summary>
internal static class DeviceArray
{
    public static unsafe DeviceBuffer Upload<T>(CudaStream stream, ReadOnlySpan<T> values)
        where T : unmanaged
    {
        var buffer = new DeviceBuffer(stream, (long)values.Length * sizeof(T));
        stream.Upload(values, buffer.Address);
        return buffer;
    }
}
