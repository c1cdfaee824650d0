using EfficientAD.Native.Driver;
using EfficientAD.Native.Libraries;

namespace EfficientAD.Native.Blas;

/// <summary>cuBLASLt in a context. Its descriptors were tried on the library of CUDA 12.4; products have not run on
/// a device yet.</summary>
public sealed unsafe class BlasHandle : CudaHandle
{
    private BlasHandle(CudaContext context, CublasLt library, CudaLibrary description)
        : base(context, ownsHandle: true)
    {
        (Library, Description) = (library, description);
        using CudaContext.Scope scope = context.Enter();
        nint created;
        CublasLt.ThrowIfFailed(library.cublasLtCreate(&created));
        Own(created);
    }

    /// <summary>Which library it is.</summary>
    public CudaLibrary Description { get; }

    internal CublasLt Library { get; }

    internal nint Handle => OpenHandle;

    /// <summary>Opens the installed library.</summary>
    /// <returns>Null where there is none that can be used: <see cref="CudaLibraries.Query"/> tells why.</returns>
    public static BlasHandle? TryOpen(CudaContext context)
    {
        (CublasLt? table, CudaLibrary description) =
            CublasLt.Find(Environment.GetEnvironmentVariable(LibrarySearch.FoldersVariable));
        try
        {
            return table is null ? null : new BlasHandle(context, table, description);
        }
        catch (CudaException)
        {
            return null;
        }
    }

    private protected override CudaResult Destroy(nint released) =>
        Library.cublasLtDestroy(released) == BlasStatus.Success ? CudaResult.Success : CudaResult.Unknown;
}
