using EfficientAD.Detection;
using EfficientAD.Onnx;

namespace EfficientAD.Tests.Onnx;

public class MapInterpolationTests
{
    private const int Input = 128, Hot = 10;

    [Theory]
    [InlineData(MapOrder.Aligned, false, 16.5 + 4 * Hot)]       // the centre of the tenth output's patch
    [InlineData(MapOrder.Aligned, true, 0.5 + 4 * Hot)]
    [InlineData(MapOrder.Reference, false, 18 + 4 * Hot)]       // 1.5 pixels too far
    [InlineData(MapOrder.Anomalib, false, 18 + 4 * Hot)]
    [InlineData(MapOrder.Paper, true, 2 + 4 * Hot)]             // 32 outputs over 128 pixels
    public void HotValue_ComesOutWhereTheOrderPutsIt(MapOrder order, bool padded, double expectedCentre)
    {
        int raw = EfficientAD.Networks.PatchDescriptionNetwork.OutputSize(Input, padded);
        float[] matrix = MapInterpolation.Matrix(order, padded, raw, Input);
        double sum = 0, moment = 0;
        for (int i = 0; i < Input; i++)
        {
            sum += matrix[i * raw + Hot];
            moment += matrix[i * raw + Hot] * (i + 0.5);
        }

        Assert.Equal(expectedCentre, moment / sum, 1e-4);
    }

    [Fact]
    public void Border_IsZero()
    {
        // Four zeros on either side of 24 outputs: the first pixel lies in them, and no row weighs more than one value.
        float[] matrix = MapInterpolation.Matrix(MapOrder.Reference, padded: false, raw: 24, size: Input);
        Assert.All(matrix[..24], weight => Assert.Equal(0, weight));
        for (int i = 0; i < Input; i++) Assert.InRange(matrix.AsSpan(i * 24, 24).ToArray().Sum(), 0, 1.000001f);
        Assert.Equal(1, matrix.AsSpan(64 * 24, 24).ToArray().Sum(), 1e-6f);
    }
}
