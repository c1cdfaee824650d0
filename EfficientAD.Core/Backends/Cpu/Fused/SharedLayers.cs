using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu.Fused;

/// <summary>A teacher's hidden layers for several plans that see the same image: run once for all, before the
/// plans.</summary>
internal abstract class SharedLayers : IDisposable
{
    public abstract void Compute();

    public abstract void Dispose();
}

/// <inheritdoc cref="SharedLayers"/>
internal sealed class SharedLayers<TForm4x4, TForm3x3, TLast, TKernels, TVector, TLanes> : SharedLayers
    where TForm4x4 : struct, IFilterForm
    where TForm3x3 : struct, IFilterForm
    where TLast : struct, IFilterForm
    where TKernels : struct, IProductKernels
    where TLanes : struct, ILanes<TVector>
{
    private readonly WorkerPool _pool;
    private readonly PlanesMemory<TKernels> _planes;
    private readonly ScratchMemory _scratch = new();
    private readonly FusedRegion _region;

    public SharedLayers(CpuBackend backend, PatchDescriptionNetwork teacher, Tensor image, bool[] isGrey)
    {
        (_pool, _planes) = (backend.Pool, new PlanesMemory<TKernels>(image.Shape.N));
        Hidden = new(backend, teacher, image, isGrey, _planes);
        _region = new FusedRegion(_scratch, _pool.Threads, Hidden.Chain);
    }

    public HiddenLayers<TForm4x4, TForm3x3, TLast, TKernels, TVector, TLanes> Hidden { get; }

    public override void Compute() => _region.Run(_pool);

    public override void Dispose()
    {
        foreach (FusedLayer layer in _region.Layers) layer.Dispose();
        _planes.Dispose();
        _scratch.Dispose();
    }
}

/// <summary>Where the plans of one teacher find its layers: the first plan makes them, of the forms that all of them
/// use.</summary>
internal sealed class SharedLayersSlot
{
    public SharedLayers? Layers { get; set; }
}
