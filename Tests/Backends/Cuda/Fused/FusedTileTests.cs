using EfficientAD.Backends.Cuda.Fused;

namespace EfficientAD.Tests.Backends.Cuda.Fused;

public class FusedTileTests
{
    private const int H100 = 132, A6000 = 84;

    /// <summary>PDN-S at 256 x 256: a batch of one must spread over the device, a large one wants little traffic.</summary>
    [Theory]
    [InlineData(1, 61 * 61 * 4, 4, H100, "large")]
    [InlineData(1, 59 * 59, 4, H100, "medium")]
    [InlineData(1, 56 * 56, 6, H100, "small")]
    [InlineData(16, 59 * 59, 4, H100, "large")]
    [InlineData(16, 56 * 56, 6, A6000, "large")]
    public void Choice_SpreadsASmallBatchAndSavesTrafficOfALargeOne(
        int batch, int rows, int columns, int multiprocessors, string expected) =>
        Assert.Equal(expected, FusedTile.Choose(batch * rows, columns, multiprocessors).Name);

    /// <summary>99 KB are what sm_86 and sm_89 give a block.</summary>
    [Fact]
    public void SharedMemory_FitsEveryDevice() =>
        Assert.All(FusedTile.All, tile => Assert.InRange(tile.SharedBytes, 1, 99 << 10));

    [Fact]
    public void PackedWeights_HaveAPlaceEach()
    {
        const int outputs = 256, depth = 96;
        IEnumerable<int> places =
            from output in Enumerable.Range(0, outputs)
            from k in Enumerable.Range(0, depth)
            select StageWeights.IndexOf(output, k, depth);
        Assert.Equal(Enumerable.Range(0, outputs * depth), places.Order());
    }
}
