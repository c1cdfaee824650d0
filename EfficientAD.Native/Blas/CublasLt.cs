using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using EfficientAD.Native.Driver;
using EfficientAD.Native.Libraries;

namespace EfficientAD.Native.Blas;

/// <summary>The entry points of libcublasLt that we call, named and ordered as in cublasLt.h.</summary>
internal sealed unsafe class CublasLt(LibraryExports exports)
{
    public const string LibraryName = "cuBLASLt";

    public readonly delegate* unmanaged<nint*, BlasStatus> cublasLtCreate =
        (delegate* unmanaged<nint*, BlasStatus>)exports.Required(nameof(cublasLtCreate));
    public readonly delegate* unmanaged<nint, BlasStatus> cublasLtDestroy =
        (delegate* unmanaged<nint, BlasStatus>)exports.Required(nameof(cublasLtDestroy));
    public readonly delegate* unmanaged<nuint> cublasLtGetVersion =
        (delegate* unmanaged<nuint>)exports.Required(nameof(cublasLtGetVersion));
    public readonly delegate* unmanaged<
        nint, nint, void*, nint, nint, nint, nint, void*, nint, nint, nint, nint, MatmulAlgorithm*, nint, nuint, nint,
        BlasStatus> cublasLtMatmul =
        (delegate* unmanaged<
            nint, nint, void*, nint, nint, nint, nint, void*, nint, nint, nint, nint, MatmulAlgorithm*, nint, nuint,
            nint, BlasStatus>)exports.Required(nameof(cublasLtMatmul));
    public readonly delegate* unmanaged<nint*, BlasDataType, ulong, ulong, long, BlasStatus>
        cublasLtMatrixLayoutCreate = (delegate* unmanaged<nint*, BlasDataType, ulong, ulong, long, BlasStatus>)
        exports.Required(nameof(cublasLtMatrixLayoutCreate));
    public readonly delegate* unmanaged<nint, BlasStatus> cublasLtMatrixLayoutDestroy =
        (delegate* unmanaged<nint, BlasStatus>)exports.Required(nameof(cublasLtMatrixLayoutDestroy));
    public readonly delegate* unmanaged<nint, LayoutAttribute, void*, nuint, BlasStatus>
        cublasLtMatrixLayoutSetAttribute = (delegate* unmanaged<nint, LayoutAttribute, void*, nuint, BlasStatus>)
        exports.Required(nameof(cublasLtMatrixLayoutSetAttribute));
    public readonly delegate* unmanaged<nint*, BlasComputeType, BlasDataType, BlasStatus> cublasLtMatmulDescCreate =
        (delegate* unmanaged<nint*, BlasComputeType, BlasDataType, BlasStatus>)
        exports.Required(nameof(cublasLtMatmulDescCreate));
    public readonly delegate* unmanaged<nint, BlasStatus> cublasLtMatmulDescDestroy =
        (delegate* unmanaged<nint, BlasStatus>)exports.Required(nameof(cublasLtMatmulDescDestroy));
    public readonly delegate* unmanaged<nint, MatmulAttribute, void*, nuint, BlasStatus>
        cublasLtMatmulDescSetAttribute = (delegate* unmanaged<nint, MatmulAttribute, void*, nuint, BlasStatus>)
        exports.Required(nameof(cublasLtMatmulDescSetAttribute));
    public readonly delegate* unmanaged<nint*, BlasStatus> cublasLtMatmulPreferenceCreate =
        (delegate* unmanaged<nint*, BlasStatus>)exports.Required(nameof(cublasLtMatmulPreferenceCreate));
    public readonly delegate* unmanaged<nint, BlasStatus> cublasLtMatmulPreferenceDestroy =
        (delegate* unmanaged<nint, BlasStatus>)exports.Required(nameof(cublasLtMatmulPreferenceDestroy));
    public readonly delegate* unmanaged<nint, PreferenceAttribute, void*, nuint, BlasStatus>
        cublasLtMatmulPreferenceSetAttribute =
        (delegate* unmanaged<nint, PreferenceAttribute, void*, nuint, BlasStatus>)
        exports.Required(nameof(cublasLtMatmulPreferenceSetAttribute));
    public readonly delegate* unmanaged<
        nint, nint, nint, nint, nint, nint, nint, int, MatmulHeuristic*, int*, BlasStatus>
        cublasLtMatmulAlgoGetHeuristic =
        (delegate* unmanaged<nint, nint, nint, nint, nint, nint, nint, int, MatmulHeuristic*, int*, BlasStatus>)
        exports.Required(nameof(cublasLtMatmulAlgoGetHeuristic));

    /// <summary>12.4.5, for instance.</summary>
    public Version Version
    {
        get
        {
            int number = checked((int)cublasLtGetVersion());
            return new Version(number / 10000, number / 100 % 100, number % 100);
        }
    }

    private static string[] FileNames => OperatingSystem.IsWindows()
        ? ["cublasLt64_13.dll", "cublasLt64_12.dll", "cublasLt64_11.dll"]
        : ["libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so.11"];

    /// <param name="folders">Where to look first: <see cref="LibrarySearch.FoldersVariable"/>.</param>
    /// <returns>The table is null where there is no library, or where it is not of the kind we know.</returns>
    public static (CublasLt? Table, CudaLibrary Description) Find(string? folders)
    {
        if (LibrarySearch.Load(FileNames, folders) is not var (library, path))
            return (null, CudaLibrary.Absent(LibraryName));
        try
        {
            var table = new CublasLt(new LibraryExports(
                name => NativeLibrary.TryGetExport(library, name, out nint address) ? address : 0, path));
            return (table, new CudaLibrary(LibraryName, table.Version, path, null));
        }
        catch (CudaException e)
        {
            return (null, new CudaLibrary(LibraryName, null, path, e.Message));
        }
    }

    /// <param name="call">Names the native function in the message.</param>
    /// <exception cref="CudaException">The call did not succeed.</exception>
    public static void ThrowIfFailed(BlasStatus status, [CallerArgumentExpression(nameof(status))] string call = "")
    {
        if (status == BlasStatus.Success) return;
        throw new CudaException(
            CudaDriver.FunctionOf(call), (int)status, $"CUBLAS_STATUS_{NameOf(status)}", RemedyOf(status));
    }

    private static string NameOf(BlasStatus status) => status switch
    {
        BlasStatus.NotInitialized => "NOT_INITIALIZED",
        BlasStatus.AllocationFailed => "ALLOC_FAILED",
        BlasStatus.InvalidValue => "INVALID_VALUE",
        BlasStatus.ArchitectureMismatch => "ARCH_MISMATCH",
        BlasStatus.MappingError => "MAPPING_ERROR",
        BlasStatus.ExecutionFailed => "EXECUTION_FAILED",
        BlasStatus.InternalError => "INTERNAL_ERROR",
        BlasStatus.NotSupported => "NOT_SUPPORTED",
        _ => "UNKNOWN",
    };

    private static string? RemedyOf(BlasStatus status) => status switch
    {
        BlasStatus.NotInitialized => "The driver is too old for this cuBLASLt, or no device is there.",
        BlasStatus.ArchitectureMismatch => "This cuBLASLt no longer knows, or does not know yet, the device.",
        _ => null,
    };
}
