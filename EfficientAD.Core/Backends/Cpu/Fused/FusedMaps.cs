using System.Runtime.Intrinsics;
using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Detection;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu.Fused;

/// <summary>All three networks from image to maps, fused: weights folded and transformed once, every buffer allocated
/// once, nothing allocated per image. Unpadded networks.</summary>
internal abstract class FusedMaps : IDisposable
{
    /// <summary>Teacher against student, [n, 1, h, w].</summary>
    public abstract Tensor LocalMap { get; }

    /// <summary>Autoencoder against student, likewise.</summary>
    public abstract Tensor GlobalMap { get; }

    /// <param name="networks">On <paramref name="backend"/>.</param>
    /// <param name="input">Read at every run: images, and which of them are grey, with planes that follow from the
    /// first.</param>
    /// <param name="largeTiles">Forms with large tiles: faster and less precise.</param>
    /// <param name="window">Where the image is a tile: which part of the whole map its map is.</param>
    /// <param name="shared">Where other plans read the teacher's hidden layers too: those must run before this
    /// one.</param>
    public static FusedMaps Create(
        CpuBackend backend, DetectionNetworks networks, DetectionInput input, bool largeTiles, SharedLayersSlot? shared,
        FeatureWindow? window)
    {
        var source = new FusedSource(backend, networks, input, shared, window);
        return backend.InstructionSet switch
        {
            InstructionSet.Avx512 =>
                Create<Vector512<float>, Lanes512, WideProducts<Vector512<float>, Lanes512>>(source, largeTiles),
            InstructionSet.Avx2 =>
                Create<Vector256<float>, Lanes256, NarrowProducts<Vector256<float>, Lanes256>>(source, largeTiles),
            _ => Create<Vector128<float>, Lanes128, NarrowProducts<Vector128<float>, Lanes128>>(source, largeTiles),
        };
    }

    /// <summary>For measurements: every layer in an order in which each may run alone.</summary>
    public abstract IEnumerable<FusedLayer> Layers { get; }

    /// <param name="samples">Images at the beginning of the batch; the maps of the others keep what they hold.</param>
    public abstract void Compute(int samples);

    public abstract void Dispose();

    private static FusedMaps Create<TVector, TLanes, TKernels>(FusedSource source, bool largeTiles)
        where TLanes : struct, ILanes<TVector>
        where TKernels : struct, IProductKernels
    {
        if (largeTiles)
        {
            return new FusedMaps<
                Form6x4<TVector, TLanes>, Form6x3<TVector, TLanes>, Form7x4<TVector, TLanes>,
                TKernels, TVector, TLanes>(source);
        }

        return new FusedMaps<
            Form4x4<TVector, TLanes>, Form4x3<TVector, TLanes>, Form4x4<TVector, TLanes>,
            TKernels, TVector, TLanes>(source);
    }
}

/// <summary>What a fused plan is made from.</summary>
internal sealed record FusedSource(
    CpuBackend Backend, DetectionNetworks Networks, DetectionInput Input, SharedLayersSlot? Shared,
    FeatureWindow? Window);
