using EfficientAD.Native;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cuda;

/// <summary>The order in which a kernel reads weights.</summary>
/// <param name="Kernel">The kernel that packs them.</param>
/// <param name="Stride">Where the order depends on the convolution's stride; else 1.</param>
internal readonly record struct PackedOrder(string Kernel, int Stride = 1);

/// <summary>Copies of a tensor's weights in the orders that kernels read, kept with the tensor and made anew when its
/// version has changed, so that inference packs once.</summary>
internal sealed class PackedWeights : IDisposable
{
    private readonly Dictionary<PackedOrder, Copy> _copies = [];

    private sealed record Copy(DeviceBuffer Buffer)
    {
        public int? Version { get; set; }
    }

    /// <param name="bytes">Room for the copy.</param>
    /// <param name="isStale">It does not hold the weights of now; the caller packs them into it.</param>
    /// <returns>Where the copy lies.</returns>
    public static nint Find(Tensor weights, PackedOrder order, long bytes, CudaStream stream, out bool isStale)
    {
        var packed = (PackedWeights)(weights.Derived ??= new PackedWeights());
        if (!packed._copies.TryGetValue(order, out Copy? copy))
            packed._copies.Add(order, copy = new Copy(new DeviceBuffer(stream, bytes)));
        isStale = copy.Version != weights.Version;
        copy.Version = weights.Version;
        return copy.Buffer.Address;
    }

    public void Dispose()
    {
        foreach (Copy copy in _copies.Values) copy.Buffer.Dispose();
    }
}
