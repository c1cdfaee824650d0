using System.Numerics.Tensors;

namespace EfficientAD.Detection;

/// <summary>A symmetric positive definite matrix as the product of a lower triangle and its transpose, for solving many
/// systems.</summary>
internal sealed class CholeskyFactor
{
    private const int BlockRows = 32;  // rows that stay in a core's cache while every earlier row passes once

    private readonly double[] _lower;
    private readonly int _size;

    /// <param name="matrix">[size, size]; its lower triangle is overwritten.</param>
    /// <exception cref="ArgumentException">The matrix is not positive definite.</exception>
    public CholeskyFactor(double[] matrix, int size)
    {
        (_lower, _size) = (matrix, size);
        for (int first = 0; first < size; first += BlockRows)
        {
            int end = Math.Min(first + BlockRows, size);
            for (int column = 0; column < end; column++)
            {
                for (int row = Math.Max(column, first); row < end; row++)
                {
                    double value = _lower[row * size + column] - TensorPrimitives.Dot<double>(Row(row, column), Row(column, column));
                    if (row > column) _lower[row * size + column] = value / _lower[column * size + column];
                    else if (value > 0) _lower[row * size + column] = Math.Sqrt(value);
                    else throw new ArgumentException($"Row {row} of {size} makes the matrix not positive definite ({value}).", nameof(matrix));
                }
            }
        }
    }

    /// <summary>[size, size]: the lower triangle, and zeros.</summary>
    public double[] Lower
    {
        get
        {
            var lower = (double[])_lower.Clone();
            for (int i = 0; i < _size; i++) lower.AsSpan(i * _size + i + 1, _size - i - 1).Clear();
            return lower;
        }
    }

    /// <summary>Replaces a right side by the system's solution.</summary>
    public void Solve(Span<double> side)
    {
        for (int i = 0; i < _size; i++)
            side[i] = (side[i] - TensorPrimitives.Dot<double>(Row(i, i), side[..i])) / _lower[i * _size + i];
        for (int i = _size - 1; i >= 0; i--)
        {
            side[i] /= _lower[i * _size + i];
            TensorPrimitives.MultiplyAdd(Row(i, i), -side[i], side[..i], side[..i]);
        }
    }

    private ReadOnlySpan<double> Row(int row, int count) => _lower.AsSpan(row * _size, count);
}
