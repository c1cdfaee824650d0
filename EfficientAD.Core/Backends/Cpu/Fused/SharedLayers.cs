namespace EfficientAD.Backends.Cpu.Fused;

/// <summary>A teacher's hidden layers for several plans that see the same image: run once for all, before the
/// plans.</summary>
internal abstract class SharedLayers : IDisposable
{
    public abstract void Compute();

    public abstract void Dispose();
}

/// <summary>Where the plans of one teacher find its layers: the first plan makes them, of the forms that all of them
/// use.</summary>
internal sealed class SharedLayersSlot
{
    public SharedLayers? Layers { get; set; }
}
