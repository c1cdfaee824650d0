using System.Security.Cryptography;
using EfficientAD.Cli.Demo;
using EfficientAD.Imaging;

namespace EfficientAD.Tests.Demo;

public class ConveyorSceneTests
{
    private const int Size = Camera.Size, Scenes = 5;
    private static readonly Dictionary<(DefectKind, int), (RgbImage Good, RgbImage Bad, GreyImage Mask)> Rendered = [];

    public static TheoryData<string> Kinds => [.. Enum.GetNames<DefectKind>()];

    [Fact]
    public void Render_GivesTheSameBitsOnEveryMachine()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var kind in Enum.GetValues<DefectKind>())
        {
            var scene = new ConveyorScene(1, 10 + (int)kind);
            var (image, mask) = scene.Render(scene.DrawDefect(kind, 0.6f));
            hash.AppendData(image.Pixels);
            hash.AppendData(mask.Pixels);
        }
        Assert.Equal("A5CFF4C35E18955FDEAF3D4FA21E5AC4", Convert.ToHexString(hash.GetHashAndReset().AsSpan(0, 16)));
    }

    [Fact]
    public void Scenes_DifferInPoseLightAndNoise()
    {
        var first = new ConveyorScene(1, 0).Render().Image.Pixels;
        Assert.Equal(first, new ConveyorScene(1, 0).Render().Image.Pixels);
        foreach (var other in new[] { new ConveyorScene(1, 1), new ConveyorScene(2, 0) })
        {
            var pixels = other.Render().Image.Pixels;
            int different = pixels.Zip(first).Count(pair => pair.First != pair.Second);
            Assert.InRange(different, pixels.Length / 2, pixels.Length);
        }
    }

    [Fact]
    public void Mask_IsEmptyWithoutDefect() =>
        Assert.DoesNotContain((byte)255, new ConveyorScene(3, 0).Render().Mask.Pixels);

    /// <summary>Nothing but the defect may tell a defective image from a good one. Shadow and blur reach 3 pixels past
    /// the mask, and their last trace is one grey level; all other pixels, noise included, are the good part's.
    /// </summary>
    [Theory, MemberData(nameof(Kinds))]
    public void Defect_ChangesNothingOutsideItsMask(string name)
    {
        const int Reach = 3;
        for (int index = 0; index < Scenes; index++)
        {
            var (good, bad, mask) = Pair(Enum.Parse<DefectKind>(name), index);
            int traces = 0;
            for (int i = 0; i < Size * Size; i++)
            {
                int change = Difference(good, bad, i);
                if (change == 0 || IsNear(mask, i % Size, i / Size, Reach)) continue;
                Assert.True(change == 1, $"Scene {index}: pixel ({i % Size}, {i / Size}) changes by {change}.");
                traces++;
            }
            Assert.InRange(traces, 0, 8);
        }
    }

    /// <summary>A mask that says more than the eye sees would make every detector look worse than it is.</summary>
    [Theory, MemberData(nameof(Kinds))]
    public void Mask_CoversWhatTheDefectChanges(string name)
    {
        for (int index = 0; index < Scenes; index++)
        {
            var (good, bad, mask) = Pair(Enum.Parse<DefectKind>(name), index);
            int masked = mask.Pixels.Count(value => value == 255), seen = 0, change = 0;
            for (int i = 0; i < Size * Size; i++)
            {
                if (mask.Pixels[i] == 0) continue;
                Assert.InRange(i % Size, 8, Size - 8);  // the part lies inside the image
                Assert.InRange(i / Size, 8, Size - 8);
                if (Difference(good, bad, i) > 0) seen++;
                change = Math.Max(change, Difference(good, bad, i));
            }
            Assert.InRange(masked, 12, Size * Size / 16);
            Assert.True(seen > masked * 0.6, $"Scene {index}: {seen} of {masked} masked pixels differ.");
            Assert.True(change >= 12, $"Scene {index}: the largest change is {change} grey levels.");
        }
    }

    /// <summary>The same scene with and without a defect, from hard to see to plain; made once.</summary>
    private static (RgbImage Good, RgbImage Bad, GreyImage Mask) Pair(DefectKind kind, int index)
    {
        if (Rendered.TryGetValue((kind, index), out var pair)) return pair;
        var scene = new ConveyorScene(7, index);
        var (bad, mask) = scene.Render(scene.DrawDefect(kind, (index + 0.5f) / Scenes));
        return Rendered[(kind, index)] = (scene.Render().Image, bad, mask);
    }

    /// <summary>The largest over the three channels of pixel <paramref name="i"/>.</summary>
    private static int Difference(RgbImage a, RgbImage b, int i) =>
        Enumerable.Range(3 * i, 3).Max(c => Math.Abs(a.Pixels[c] - b.Pixels[c]));

    private static bool IsNear(GreyImage mask, int x, int y, int reach)
    {
        for (int v = Math.Max(y - reach, 0); v <= Math.Min(y + reach, Size - 1); v++)
            for (int u = Math.Max(x - reach, 0); u <= Math.Min(x + reach, Size - 1); u++)
                if (mask.Pixels[v * Size + u] != 0) return true;
        return false;
    }
}
