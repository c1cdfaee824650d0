using System.Runtime.InteropServices;
using EfficientAD.Native.Driver;

namespace EfficientAD.Native;

/// <summary>How rows of a box are laid into shared memory (CUtensorMapSwizzle): in order, or with their 16-byte pieces
/// exchanged within rows of 32, 64 or 128 bytes, so that wgmma meets no bank twice.</summary>
public enum TensorSwizzle
{
    None = 0,
    Bytes32 = 1,
    Bytes64 = 2,
    Bytes128 = 3,
}

/// <summary>One dimension of a tensor map.</summary>
/// <param name="Extent">Elements of the tensor.</param>
/// <param name="Pitch">Bytes between two elements, a multiple of 16; of the first dimension, where elements lie side by
/// side, not looked at.</param>
/// <param name="Box">Elements that one copy brings, 1 to 256 / <paramref name="Step"/>.</param>
/// <param name="Step">Elements from one that is brought to the next, 1 to 8; 1 in the first dimension.</param>
public readonly record struct TensorDimension(long Extent, long Pitch, int Box, int Step = 1);

/// <summary>Describes a tensor of half-precision numbers on the device, and a box of it, to the copy engine of a Hopper
/// GPU. What a box has outside of the tensor is zero.</summary>
/// <remarks>A kernel takes it by value. It lies in memory of its own, because the driver wants it aligned.</remarks>
public sealed unsafe class TensorMap : IDisposable
{
    internal const int Bytes = 128;

    private const int Alignment = 64, MostDimensions = 5;

    private readonly CudaContext _context;
    private void* _memory;

    /// <exception cref="NotSupportedException">The device is no Hopper GPU or newer, or its driver older than CUDA 12.
    /// </exception>
    public TensorMap(CudaContext context)
    {
        if (!context.Driver.HasTensorMaps || context.Device.ComputeCapability < new Version(9, 0))
        {
            throw new NotSupportedException(
                $"{context.Device.Name} (compute capability {context.Device.ComputeCapability}, driver " +
                $"{CudaDevices.VersionOf(context.Driver)}) has no tensor maps: they need 9.0 and CUDA 12. " +
                "Use kernels that read global memory themselves.");
        }

        _context = context;
        _memory = NativeMemory.AlignedAlloc(Bytes, Alignment);
    }

    internal nint Address => _memory != null ? (nint)_memory : throw new ObjectDisposedException(nameof(TensorMap));

    /// <summary>Describes a tensor; launches before keep what they were given. Allocates nothing.</summary>
    /// <param name="address">Of the first element, a multiple of 16.</param>
    /// <param name="dimensions">1 to 5, the innermost first.</param>
    /// <exception cref="CudaException">The driver refuses the sizes.</exception>
    public void Describe(nint address, TensorSwizzle swizzle, params ReadOnlySpan<TensorDimension> dimensions)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(dimensions.Length, MostDimensions, nameof(dimensions));
        ulong* extents = stackalloc ulong[MostDimensions], pitches = stackalloc ulong[MostDimensions];
        uint* box = stackalloc uint[MostDimensions], steps = stackalloc uint[MostDimensions];
        for (int i = 0; i < dimensions.Length; i++)
        {
            TensorDimension dimension = dimensions[i];
            extents[i] = (ulong)dimension.Extent;
            if (i > 0) pitches[i - 1] = (ulong)dimension.Pitch;
            // The driver counts the elements between those that are brought, too.
            box[i] = (uint)(dimension.Box * dimension.Step);
            steps[i] = (uint)dimension.Step;
        }

        const int Interleave = 0, FillWithZeros = 0;
        CudaDriver driver = _context.Driver;
        using CudaContext.Scope scope = _context.Enter();
        driver.ThrowIfFailed(driver.cuTensorMapEncodeTiled(
            (void*)Address, TensorElement.Half, (uint)dimensions.Length, address, extents, pitches, box, steps,
            Interleave, swizzle, TensorPromotion.Bytes128, FillWithZeros));
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
        GC.SuppressFinalize(this);
    }

    ~TensorMap() => NativeMemory.AlignedFree(_memory);
}
