using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu;

/// <summary>What the convolutions derived from one weight tensor: packed or transformed copies. They hang on the tensor
/// and are made anew when its version has changed, so that inference makes them once.</summary>
internal sealed unsafe class WeightCache
{
    private readonly Dictionary<object, Copy> _copies = [];

    private sealed class Copy(AlignedMemory memory)
    {
        public AlignedMemory Memory => memory;

        public int Version { get; set; } = -1;
    }

    /// <param name="form">Names the copy; the same object gets the same memory again.</param>
    /// <param name="floats">The copy's size.</param>
    /// <param name="fill">Writes the copy; the memory is zero at first.</param>
    public static float* Get(Tensor weights, object form, long floats, Action<nint> fill)
    {
        var cache = (WeightCache)(weights.Derived ??= new WeightCache());
        if (!cache._copies.TryGetValue(form, out Copy? copy))
            cache._copies[form] = copy = new Copy(new AlignedMemory(floats * sizeof(float)));
        if (copy.Version != weights.Version)
        {
            fill(copy.Memory.Address);
            copy.Version = weights.Version;
        }

        return (float*)copy.Memory.Address;
    }
}
