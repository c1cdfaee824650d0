using System.Numerics.Tensors;

namespace EfficientAD.Detection;

/// <summary>The normal distribution of good images' <see cref="PooledFeatures"/>, and how far an image lies from it
/// (after PUAD, Sugawara and Imamura, ICIP 2024): for anomalies that no place shows, such as one part too many of a
/// kind.</summary>
/// <param name="Mean">[channels].</param>
/// <param name="Factor">[channels, channels], lower triangle: the covariance is this times its transpose.</param>
internal sealed record PooledDistribution(double[] Mean, double[] Factor)
{
    /// <summary>Mean and covariance of some vectors; the covariance is shrunk towards a multiple of the identity as
    /// much as so few vectors ask for (Ledoit and Wolf, 2004), so that it has an inverse.</summary>
    /// <param name="vectors">At least two, of one length.</param>
    /// <exception cref="InvalidOperationException">They do not vary.</exception>
    public static PooledDistribution Fit(IReadOnlyList<double[]> vectors)
    {
        int size = vectors[0].Length;
        var mean = new double[size];
        foreach (double[] vector in vectors) TensorPrimitives.Add<double>(mean, vector, mean);
        TensorPrimitives.Divide<double>(mean, vectors.Count, mean);
        double[][] centred =
            [.. vectors.Select(vector => vector.Zip(mean, (value, middle) => value - middle).ToArray())];

        var covariance = new double[size * size];
        foreach (double[] vector in centred)
        {
            for (int i = 0; i < size; i++)
            {
                Span<double> row = covariance.AsSpan(i * size, size);
                TensorPrimitives.MultiplyAdd<double>(vector, vector[i] / vectors.Count, row, row);
            }
        }

        double scale = 0;
        for (int i = 0; i < size; i++) scale += covariance[i * size + i] / size;
        if (scale <= 0)
        {
            throw new InvalidOperationException(
                $"The {vectors.Count} good images have the same features. Are they one and the same?");
        }

        double norm = TensorPrimitives.SumOfSquares<double>(covariance), noise = 0;
        foreach (double[] vector in centred)
        {
            double square = TensorPrimitives.SumOfSquares<double>(vector), along = 0;
            for (int i = 0; i < size; i++)
                along += vector[i] * TensorPrimitives.Dot<double>(covariance.AsSpan(i * size, size), vector);
            noise += square * square - 2 * along + norm;
        }

        noise /= (double)vectors.Count * vectors.Count;
        double share = Math.Clamp(noise / (norm - size * scale * scale), 0, 1);
        if (!double.IsFinite(share)) share = 1;  // a multiple of the identity already
        TensorPrimitives.Multiply<double>(covariance, 1 - share, covariance);
        for (int i = 0; i < size; i++) covariance[i * size + i] += share * scale;
        return new PooledDistribution(mean, CholeskyFactor.Of(covariance, size));
    }

    /// <summary>The Mahalanobis distance of a vector from the mean.</summary>
    public double Distance(ReadOnlySpan<double> vector)
    {
        // |L^-1 (x - mean)| by forward substitution.
        int size = Mean.Length;
        var solution = new double[size];
        double sum = 0;
        for (int i = 0; i < size; i++)
        {
            ReadOnlySpan<double> row = Factor.AsSpan(i * size, i + 1);
            double value =
                (vector[i] - Mean[i] - TensorPrimitives.Dot<double>(row[..i], solution.AsSpan(0, i))) / row[i];
            solution[i] = value;
            sum += value * value;
        }

        return Math.Sqrt(sum);
    }
}
