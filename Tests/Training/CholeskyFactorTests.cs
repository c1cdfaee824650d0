using EfficientAD.Detection;
using EfficientAD.Tensors;

namespace EfficientAD.Tests.Training;

public class CholeskyFactorTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(32)]  // one block
    [InlineData(75)]  // a part of a block behind two
    public void Solution_GivesTheRightSideBack(int size)
    {
        var random = new CounterRandom(1, (ulong)size);
        double[] matrix = new double[size * size], solution = new double[size];
        for (int i = 0; i < size; i++)
        {
            for (int j = 0; j < size; j++)
                for (int k = 0; k < size; k++) matrix[i * size + j] += Value(i, k) * Value(j, k);
            matrix[i * size + i] += 0.1;
            solution[i] = random.Uniform((ulong)(size * size + i), -1, 1);
        }

        double[] side = [.. solution];
        new CholeskyFactor((double[])matrix.Clone(), size).Solve(side);
        for (int i = 0; i < size; i++)
        {
            double product = 0;
            for (int j = 0; j < size; j++) product += matrix[i * size + j] * side[j];
            Assert.Equal(solution[i], product, 1e-10);
        }

        double Value(int row, int column) => random.Uniform((ulong)(row * size + column), -1, 1);
    }

    [Fact]
    public void MatrixThatIsNotPositiveDefinite_IsRefused()
    {
        var refused = Assert.Throws<ArgumentException>(() => new CholeskyFactor([1, 0, 2, 1], 2));
        Assert.Contains("Row 1 of 2", refused.Message, StringComparison.Ordinal);
    }
}
