using EfficientAD.Distillation;
using EfficientAD.Tests.Imaging;

namespace EfficientAD.Tests.Distillation;

public class TargetCacheTests
{
    private static readonly byte[] Pixels = [1, 2, 3], OtherPixels = [1, 2, 4];
    private static readonly Half[] Target = [(Half)1.5f, (Half)(-2), (Half)3e-5f, Half.MaxValue];

    [Fact]
    public void Slots_GiveBackWhatWasWritten_ForTheSamePixelsOnly()
    {
        using var folder = new TemporaryFolder();
        using (TargetCache cache = Open(folder))
        {
            Assert.Null(Read(cache, 5, Pixels));
            cache.Write(5, Pixels, Target);
        }

        using TargetCache again = Open(folder);
        Assert.Equal(Target, Read(again, 5, Pixels));
        Assert.Null(Read(again, 5, OtherPixels));
        Assert.Null(Read(again, 4, Pixels));
    }

    [Fact]
    public void DamagedSlots_AreMisses()
    {
        using var folder = new TemporaryFolder();
        string path;
        using (TargetCache cache = Open(folder))
        {
            cache.Write(0, Pixels, Target);
            path = cache.FilePath;
        }

        byte[] bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, bytes);
        using (TargetCache damaged = Open(folder)) Assert.Null(Read(damaged, 0, Pixels));

        File.WriteAllBytes(path, bytes[..^1]);
        using TargetCache cut = Open(folder);
        Assert.Null(Read(cut, 0, Pixels));
        cut.Write(0, Pixels, Target);
        Assert.Equal(Target, Read(cut, 0, Pixels));
    }

    [Fact]
    public void Budget_BoundsTheFile()
    {
        using var folder = new TemporaryFolder();
        using TargetCache cache = Open(folder, budget: 100);
        for (int slot = 0; slot < 50; slot++) cache.Write(slot, Pixels, Target);
        Assert.Equal(Target, Read(cache, 0, Pixels));
        Assert.Null(Read(cache, 49, Pixels));
        Assert.InRange(new FileInfo(cache.FilePath).Length, 1, 100);
    }

    [Fact]
    public void BackbonesAndSizes_HaveFilesOfTheirOwn()
    {
        using var folder = new TemporaryFolder();
        using var a = new TargetCache(folder.Path, "a", 4, 1000);
        using var b = new TargetCache(folder.Path, "b", 4, 1000);
        using var c = new TargetCache(folder.Path, "a", 5, 1000);
        Assert.Equal(3, new[] { a.FilePath, b.FilePath, c.FilePath }.Distinct().Count());
    }

    private static TargetCache Open(TemporaryFolder folder, long budget = 1000) =>
        new(folder.Path, "backbone", Target.Length, budget);

    private static Half[]? Read(TargetCache cache, long slot, byte[] pixels)
    {
        var target = new Half[Target.Length];
        return cache.TryRead(slot, pixels, target) ? target : null;
    }
}
