using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace EfficientAD.Native.Blas;

/// <summary>cublasStatus_t.</summary>
internal enum BlasStatus
{
    Success = 0,
    NotInitialized = 1,
    AllocationFailed = 3,
    InvalidValue = 7,
    ArchitectureMismatch = 8,
    MappingError = 11,
    ExecutionFailed = 13,
    InternalError = 14,
    NotSupported = 15,
}

/// <summary>cudaDataType_t.</summary>
internal enum BlasDataType
{
    Float32 = 0,
    Float16 = 2,
}

/// <summary>cublasComputeType_t.</summary>
internal enum BlasComputeType
{
    Float32 = 68,
    TensorFloat32 = 77,
}

/// <summary>cublasOperation_t.</summary>
internal enum BlasOperation
{
    None = 0,
    Transpose = 1,
}

/// <summary>cublasLtMatmulDescAttributes_t, each of 4 bytes but the pointer.</summary>
internal enum MatmulAttribute
{
    TransposeA = 3,
    TransposeB = 4,
    Epilogue = 7,
    BiasPointer = 8,
}

/// <summary>cublasLtEpilogue_t.</summary>
internal enum BlasEpilogue
{
    Default = 1,
    Relu = 2,
    Bias = 4,
    ReluBias = 6,
}

/// <summary>cublasLtMatrixLayoutAttribute_t: 4 and 8 bytes.</summary>
internal enum LayoutAttribute
{
    BatchCount = 5,
    BatchStride = 6,
}

/// <summary>cublasLtMatmulPreferenceAttributes_t: the workspace has 8 bytes, the others 4.</summary>
internal enum PreferenceAttribute
{
    MaximumWorkspaceBytes = 1,
    ReductionSchemes = 3,
    MinimumAlignmentA = 5,
    MinimumAlignmentB = 6,
    MinimumAlignmentC = 7,
    MinimumAlignmentD = 8,
}

/// <summary>cublasLtReductionScheme_t.</summary>
[Flags]
internal enum ReductionSchemes
{
    /// <summary>Partial sums go through the workspace and are added in a step of their own.</summary>
    ComputeType = 2,
}

/// <summary>cublasLtMatmulAlgo_t: opaque.</summary>
[InlineArray(8)]
internal struct MatmulAlgorithm
{
    private ulong _first;
}

/// <summary>cublasLtMatmulHeuristicResult_t.</summary>
[StructLayout(LayoutKind.Sequential, Size = 96)]
internal struct MatmulHeuristic
{
    public MatmulAlgorithm Algorithm;
    public nuint WorkspaceBytes;
    public BlasStatus Status;
}
