using System.Numerics.Tensors;

namespace EfficientAD.Detection;

/// <summary>A symmetric positive definite matrix as the product of a lower triangle and its transpose.</summary>
internal static class CholeskyFactor
{
    /// <param name="matrix">[size, size]; only its lower triangle is read.</param>
    /// <returns>[size, size]: the lower triangle, and zeros.</returns>
    /// <exception cref="ArgumentException">The matrix is not positive definite.</exception>
    public static double[] Of(ReadOnlySpan<double> matrix, int size)
    {
        var lower = new double[size * size];
        for (int row = 0; row < size; row++)
        {
            for (int column = 0; column <= row; column++)
            {
                double value = matrix[row * size + column] - TensorPrimitives.Dot<double>(
                    lower.AsSpan(row * size, column), lower.AsSpan(column * size, column));
                if (row == column && !(value > 0))
                {
                    throw new ArgumentException(
                        $"Row {row} of {size} makes the matrix not positive definite ({value}).", nameof(matrix));
                }

                lower[row * size + column] =
                    row > column ? value / lower[column * size + column] : Math.Sqrt(value);
            }
        }

        return lower;
    }
}
