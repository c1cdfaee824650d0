using EfficientAD.Native.Libraries;

namespace EfficientAD.Native.Blas;

/// <summary>A matrix product by cuBLASLt, prepared for one shape: D = alpha A B + beta D, plus a bias and a
/// rectifier.</summary>
/// <remarks>The same bits on a second run on the same card: reductions whose order may change are excluded. Not
/// thread-safe.</remarks>
public sealed unsafe class Gemm : IDisposable
{
    /// <summary>What the addresses of A, B and D must be a multiple of.</summary>
    public const int Alignment = 16;

    private readonly BlasHandle _blas;
    private readonly GemmDescriptors _descriptors;
    private readonly bool _hasBias;
    private MatmulAlgorithm _algorithm;

    /// <param name="bias">Whether a value per column of D is added.</param>
    /// <param name="relu">Whether negative results become zero.</param>
    /// <param name="maximumWorkspaceBytes">Most memory that a product may take beside its operands.</param>
    /// <exception cref="CudaException">The library has no way to do it.</exception>
    public Gemm(
        BlasHandle blas, GemmShape shape, LibraryPrecision precision, bool bias, bool relu, long maximumWorkspaceBytes)
    {
        (_blas, _hasBias) = (blas, bias);
        _descriptors = new GemmDescriptors(blas.Library, shape, precision, bias, relu, maximumWorkspaceBytes);
        try
        {
            WorkspaceBytes = Choose();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Memory that each run needs beside its operands.</summary>
    public long WorkspaceBytes { get; }

    /// <summary>Gives the product to a stream.</summary>
    /// <param name="bias">Address of a value per column; 0 where the product was prepared without.</param>
    /// <param name="workspace">Address of <see cref="WorkspaceBytes"/>; a multiple of 256.</param>
    /// <param name="beta">0 overwrites D, 1 adds to it.</param>
    public void Run(
        CudaStream stream, nint a, nint b, nint d, nint bias, nint workspace, float alpha = 1, float beta = 0)
    {
        ObjectDisposedException.ThrowIf(_descriptors.Operation == 0, this);
        if ((a | b | d) % Alignment != 0)
        {
            throw new ArgumentException(
                $"Gemm: the operands must lie at multiples of {Alignment} bytes, not at 0x{a:x}, 0x{b:x} and 0x{d:x}.");
        }

        if (_hasBias != (bias != 0))
            throw new ArgumentException($"Gemm: prepared {(_hasBias ? "with" : "without")} a bias, run the other way.");
        CublasLt library = _blas.Library;
        using CudaContext.Scope scope = _blas.Context.Enter();
        if (_hasBias) _descriptors.SetBias(bias);
        fixed (MatmulAlgorithm* algorithm = &_algorithm)
        {
            CublasLt.ThrowIfFailed(library.cublasLtMatmul(
                _blas.Handle, _descriptors.Operation, &alpha, b, _descriptors.LayoutB, a, _descriptors.LayoutA, &beta,
                d, _descriptors.LayoutD, d, _descriptors.LayoutD, algorithm, workspace, (nuint)WorkspaceBytes,
                stream.Handle));
        }
        GC.KeepAlive(stream);
    }

    public void Dispose() => _descriptors.Dispose();

    /// <summary>Takes the library's first choice.</summary>
    private long Choose()
    {
        CublasLt library = _blas.Library;
        using CudaContext.Scope scope = _blas.Context.Enter();
        MatmulHeuristic found;
        int count;
        CublasLt.ThrowIfFailed(library.cublasLtMatmulAlgoGetHeuristic(
            _blas.Handle, _descriptors.Operation, _descriptors.LayoutB, _descriptors.LayoutA, _descriptors.LayoutD,
            _descriptors.LayoutD, _descriptors.Preference, 1, &found, &count));
        CublasLt.ThrowIfFailed(
            count == 0 ? BlasStatus.NotSupported : found.Status, nameof(library.cublasLtMatmulAlgoGetHeuristic));
        _algorithm = found.Algorithm;
        return (long)found.WorkspaceBytes;
    }
}
