namespace EfficientAD.Backends.Cpu.Filtering;

/// <summary>Memory that is kept and grows with the largest use. What it holds is lost when it grows.</summary>
internal sealed unsafe class ScratchMemory : IDisposable
{
    private AlignedMemory? _memory;
    private long _floats;

    public float* Reserve(long floats)
    {
        if (floats > _floats)
        {
            _memory?.Dispose();
            _memory = new AlignedMemory(floats * sizeof(float));
            _floats = floats;
        }

        return (float*)_memory!.Address;
    }

    public void Dispose() => _memory?.Dispose();
}
