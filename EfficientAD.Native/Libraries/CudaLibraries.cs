using EfficientAD.Native.Blas;
using EfficientAD.Native.Dnn;

namespace EfficientAD.Native.Libraries;

/// <summary>What is installed besides the driver. None of it is needed.</summary>
public sealed record CudaLibraries(CudaLibrary Blas, CudaLibrary Dnn)
{
    /// <summary>Looks in the folders that EFFICIENTAD_CUDA_LIBRARIES names, then where the system looks. Throws nothing
    /// for what is missing or wrong.</summary>
    public static CudaLibraries Query()
    {
        string? folders = Environment.GetEnvironmentVariable(LibrarySearch.FoldersVariable);
        return new CudaLibraries(CublasLt.Find(folders).Description, Cudnn.Find(folders).Description);
    }
}
