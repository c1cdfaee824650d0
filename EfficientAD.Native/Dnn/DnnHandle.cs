using EfficientAD.Native.Driver;
using EfficientAD.Native.Libraries;

namespace EfficientAD.Native.Dnn;

/// <summary>cuDNN in a context. Its calls were written from the headers of 9.6 and have not run on a device
/// yet.</summary>
/// <remarks>Uses the functions that cuDNN calls legacy: each names its algorithm, so that those which give other bits
/// on a second run can be left out. Not thread-safe.</remarks>
public sealed unsafe class DnnHandle : CudaHandle
{
    private DnnHandle(CudaContext context, Cudnn library, CudaLibrary description) : base(context, ownsHandle: true)
    {
        (Library, Description) = (library, description);
        using CudaContext.Scope scope = context.Enter();
        nint created;
        library.ThrowIfFailed(library.cudnnCreate(&created));
        Own(created);
    }

    /// <summary>Which library it is.</summary>
    public CudaLibrary Description { get; }

    internal Cudnn Library { get; }

    internal nint Handle => OpenHandle;

    /// <summary>Opens the installed library.</summary>
    /// <returns>Null where there is none that can be used: <see cref="CudaLibraries.Query"/> tells why.</returns>
    public static DnnHandle? TryOpen(CudaContext context)
    {
        (Cudnn? table, CudaLibrary description) =
            Cudnn.Find(Environment.GetEnvironmentVariable(LibrarySearch.FoldersVariable));
        return table is null ? null : TryOpen(context, table, description);
    }

    internal static DnnHandle? TryOpen(CudaContext context, Cudnn library, CudaLibrary description)
    {
        try
        {
            return new DnnHandle(context, library, description);
        }
        catch (CudaException)
        {
            return null;
        }
    }

    private protected override CudaResult Destroy(nint released) =>
        Library.cudnnDestroy(released) == DnnStatus.Success ? CudaResult.Success : CudaResult.Unknown;
}
