using EfficientAD.Native.Libraries;

namespace EfficientAD.Native.Blas;

/// <summary>What cuBLASLt is told of a product. Needs no device.</summary>
/// <remarks>The library reads column by column; so read, a product of row-major matrices is the transposed product. Its
/// first operand is therefore our B, and each matrix has our columns as its rows.</remarks>
internal sealed unsafe class GemmDescriptors : IDisposable
{
    private readonly CublasLt _library;

    /// <exception cref="CudaException">The library does not take it.</exception>
    public GemmDescriptors(
        CublasLt library, GemmShape shape, LibraryPrecision precision, bool bias, bool relu, long maximumWorkspaceBytes)
    {
        _library = library;
        try
        {
            Describe(shape, precision, bias, relu);
            Prefer(maximumWorkspaceBytes);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>cublasLtMatmulDesc_t; 0 once disposed.</summary>
    public nint Operation { get; private set; }

    /// <summary>cublasLtMatrixLayout_t.</summary>
    public nint LayoutA { get; private set; }

    public nint LayoutB { get; private set; }

    public nint LayoutD { get; private set; }

    /// <summary>cublasLtMatmulPreference_t.</summary>
    public nint Preference { get; private set; }

    public void SetBias(nint address) => Set(MatmulAttribute.BiasPointer, address);

    public void Dispose()
    {
        if (Operation != 0) _library.cublasLtMatmulDescDestroy(Operation);
        if (LayoutA != 0) _library.cublasLtMatrixLayoutDestroy(LayoutA);
        if (LayoutB != 0) _library.cublasLtMatrixLayoutDestroy(LayoutB);
        if (LayoutD != 0) _library.cublasLtMatrixLayoutDestroy(LayoutD);
        if (Preference != 0) _library.cublasLtMatmulPreferenceDestroy(Preference);
        Operation = LayoutA = LayoutB = LayoutD = Preference = 0;
    }

    private void Describe(GemmShape shape, LibraryPrecision precision, bool bias, bool relu)
    {
        BlasDataType type = precision == LibraryPrecision.Float16 ? BlasDataType.Float16 : BlasDataType.Float32;
        BlasComputeType compute = precision == LibraryPrecision.TensorFloat32
            ? BlasComputeType.TensorFloat32
            : BlasComputeType.Float32;
        nint operation;
        CublasLt.ThrowIfFailed(_library.cublasLtMatmulDescCreate(&operation, compute, BlasDataType.Float32));
        Operation = operation;
        Set(MatmulAttribute.TransposeA, shape.TransposeB ? BlasOperation.Transpose : BlasOperation.None);
        Set(MatmulAttribute.TransposeB, shape.TransposeA ? BlasOperation.Transpose : BlasOperation.None);
        Set(MatmulAttribute.Epilogue, (bias, relu) switch
        {
            (true, true) => BlasEpilogue.ReluBias,
            (true, false) => BlasEpilogue.Bias,
            (false, true) => BlasEpilogue.Relu,
            _ => BlasEpilogue.Default,
        });
        LayoutA = shape.TransposeA
            ? Layout(type, shape.Rows, shape.Depth, shape.Batch, shape.StrideA)
            : Layout(type, shape.Depth, shape.Rows, shape.Batch, shape.StrideA);
        LayoutB = shape.TransposeB
            ? Layout(type, shape.Depth, shape.Columns, shape.Batch, shape.StrideB)
            : Layout(type, shape.Columns, shape.Depth, shape.Batch, shape.StrideB);
        LayoutD = Layout(type, shape.Columns, shape.Rows, shape.Batch, shape.StrideD);
    }

    private nint Layout(BlasDataType type, int rows, int columns, int batch, long stride)
    {
        nint layout;
        CublasLt.ThrowIfFailed(_library.cublasLtMatrixLayoutCreate(&layout, type, (ulong)rows, (ulong)columns, rows));
        CublasLt.ThrowIfFailed(
            _library.cublasLtMatrixLayoutSetAttribute(layout, LayoutAttribute.BatchCount, &batch, sizeof(int)));
        CublasLt.ThrowIfFailed(
            _library.cublasLtMatrixLayoutSetAttribute(layout, LayoutAttribute.BatchStride, &stride, sizeof(long)));
        return layout;
    }

    private void Prefer(long maximumWorkspaceBytes)
    {
        nint preference;
        CublasLt.ThrowIfFailed(_library.cublasLtMatmulPreferenceCreate(&preference));
        Preference = preference;
        Prefer(PreferenceAttribute.MaximumWorkspaceBytes, (nuint)maximumWorkspaceBytes);
        Prefer(PreferenceAttribute.ReductionSchemes, ReductionSchemes.ComputeType);
        Prefer(PreferenceAttribute.MinimumAlignmentA, Gemm.Alignment);
        Prefer(PreferenceAttribute.MinimumAlignmentB, Gemm.Alignment);
        Prefer(PreferenceAttribute.MinimumAlignmentC, Gemm.Alignment);
        Prefer(PreferenceAttribute.MinimumAlignmentD, Gemm.Alignment);
    }

    private void Set<T>(MatmulAttribute attribute, T value) where T : unmanaged => CublasLt.ThrowIfFailed(
        _library.cublasLtMatmulDescSetAttribute(Operation, attribute, &value, (nuint)sizeof(T)));

    private void Prefer<T>(PreferenceAttribute attribute, T value) where T : unmanaged => CublasLt.ThrowIfFailed(
        _library.cublasLtMatmulPreferenceSetAttribute(Preference, attribute, &value, (nuint)sizeof(T)));
}
