using EfficientAD.Detection;
using EfficientAD.Tensors;

namespace EfficientAD.Tests.Detection;

public class CholeskyFactorTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(75)]
    public void FactorTimesItsTranspose_GivesTheMatrixBack(int size)
    {
        var random = new CounterRandom(1, (ulong)size);
        var matrix = new double[size * size];
        for (int i = 0; i < size; i++)
        {
            for (int j = 0; j < size; j++)
                for (int k = 0; k < size; k++) matrix[i * size + j] += Value(i, k) * Value(j, k);
            matrix[i * size + i] += 0.1;
        }

        double[] lower = CholeskyFactor.Of(matrix, size);
        for (int i = 0; i < size; i++)
        {
            for (int j = 0; j < size; j++)
            {
                double product = 0;
                for (int k = 0; k < size; k++) product += lower[i * size + k] * lower[j * size + k];
                Assert.Equal(matrix[i * size + j], product, 1e-12 * size);
                if (j > i) Assert.Equal(0, lower[i * size + j]);
            }
        }

        double Value(int row, int column) => random.Uniform((ulong)(row * size + column), -1, 1);
    }

    [Fact]
    public void MatrixThatIsNotPositiveDefinite_IsRefused()
    {
        var refused = Assert.Throws<ArgumentException>(() => CholeskyFactor.Of([1, 0, 2, 1], 2));
        Assert.Contains("Row 1 of 2", refused.Message, StringComparison.Ordinal);
    }
}
