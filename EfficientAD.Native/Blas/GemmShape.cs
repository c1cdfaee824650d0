namespace EfficientAD.Native.Blas;

/// <summary>D [rows, columns] = A [rows, depth] x B [depth, columns]; all row after row without gaps.</summary>
/// <param name="TransposeA">A lies in memory as [depth, rows].</param>
/// <param name="TransposeB">B lies in memory as [columns, depth].</param>
public readonly record struct GemmShape(
    int Rows, int Columns, int Depth, bool TransposeA = false, bool TransposeB = false)
{
    /// <summary>Number of products of the same shape.</summary>
    public int Batch { get; init; } = 1;

    /// <summary>Values from one A to the next; 0 to use the same for all. Likewise the others.</summary>
    public long StrideA { get; init; }

    public long StrideB { get; init; }

    public long StrideD { get; init; }
}
