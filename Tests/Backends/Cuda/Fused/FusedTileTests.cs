using EfficientAD.Backends.Cuda;
using EfficientAD.Backends.Cuda.Fused;
using EfficientAD.Tests.Imaging;

namespace EfficientAD.Tests.Backends.Cuda.Fused;

public class FusedTileTests
{
    private const int H100 = 132, A6000 = 84;

    /// <summary>PDN-S at 256 x 256: a batch of one must spread over the device, a large one wants little
    /// traffic.</summary>
    [Theory]
    [InlineData(1, 61 * 61 * 4, 4, H100, "large")]
    [InlineData(1, 59 * 59, 4, H100, "medium")]
    [InlineData(1, 56 * 56, 6, H100, "small")]
    [InlineData(16, 59 * 59, 4, H100, "large")]
    [InlineData(16, 56 * 56, 6, A6000, "large")]
    public void Choice_SpreadsASmallBatchAndSavesTrafficOfALargeOne(
        int batch, int rows, int columns, int multiprocessors, string expected) =>
        Assert.Equal(expected, FusedTile.Choose(batch * rows, columns, multiprocessors).Name);

    [Fact]
    public void FastestTile_IsTriedOnceAndRemembered()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "tiles.json");
        var problem = new TiledProblem("fused_last_", 3136, 6, 8192);
        List<FusedTile> tried = [];
        var tuner = new FusedTuner(new TuningCache(path, "card"), work =>
        {
            work();
            return tried[^1] == FusedTile.Medium ? 1 : 2;
        });
        Assert.Null(tuner.Find(problem));
        Assert.Equal(FusedTile.Medium, tuner.Measure(problem, tried.Add));
        Assert.Equal(FusedTile.All, tried);
        Assert.Equal(FusedTile.Medium, tuner.Find(problem));

        var next = new FusedTuner(new TuningCache(path, "card"), _ => throw new InvalidOperationException());
        Assert.Equal(FusedTile.Medium, next.Find(problem));
        Assert.Null(next.Find(problem with { Rows = 3137 }));
        Assert.Null(new FusedTuner(new TuningCache(path, "another card"), _ => 0).Find(problem));
    }

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
