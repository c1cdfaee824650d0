using System.Security.Cryptography;
using System.Text;
using EfficientAD.Data;
using EfficientAD.Tensors;

namespace EfficientAD.Tests.Data;

public sealed class DatasetProvenanceTests : IDisposable
{
    private readonly DatasetFolderFixture _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(2, 1)]
    [InlineData(3, 2)]
    [InlineData(10, 9)]
    [InlineData(209, 188)]
    public void Split_KeepsEveryImageOnce(int count, int trainCount)
    {
        var data = Dataset(count);
        var split = data.SplitTrainValidation(seed: 1);
        Assert.Equal(trainCount, split.Train.Count);
        Assert.Equal(data.Train, split.Train.Concat(split.Validation).Order(StringComparer.Ordinal));
        Assert.Equal(split.Train.Order(StringComparer.Ordinal), split.Train);
    }

    [Fact]
    public void Split_DependsOnTheSeedAlone()
    {
        string[][] validations = [.. Enumerable.Range(0, 20)
            .Select(seed => Dataset(100).SplitTrainValidation((ulong)seed).Validation.ToArray())];
        Assert.Equal(validations[7], Dataset(100).SplitTrainValidation(7).Validation);
        Assert.Equal(20, validations.DistinctBy(images => string.Join(' ', images)).Count());
        // 20 draws of 10 out of 100: 88 different ones are expected.
        Assert.InRange(validations.SelectMany(images => images).Distinct().Count(), 70, 100);
    }

    [Fact]
    public void Split_LeavesTheLayoutsOwnValidationAlone()
    {
        var data = Dataset(10) with { Validation = ["v"] };
        Assert.Equal(data.Train, data.SplitTrainValidation(1).Train);
        Assert.Equal(["v"], data.SplitTrainValidation(1).Validation);
    }

    [Fact]
    public void Split_NeedsTwoImages()
    {
        var error = Assert.Throws<DatasetException>(() => Dataset(1).SplitTrainValidation(1));
        Assert.Equal("/data has 1 good image for training; at least 2 are needed, one for validation.", error.Message);
    }

    [Fact]
    public void Permutation_HoldsEveryNumberOnceAndEveryOrderOccurs()
    {
        Assert.Equal([], new CounterRandom(1, 2).Permutation(0));
        Assert.Equal(Enumerable.Range(0, 1000), new CounterRandom(1, 2).Permutation(1000).Order());
        var orders = Enumerable.Range(0, 600)
            .Select(i => string.Join(',', new CounterRandom(3, (ulong)i).Permutation(3)));
        // 100 of each are expected, with a deviation of 9.
        Assert.All(orders.CountBy(order => order), pair => Assert.InRange(pair.Value, 60, 140));
        Assert.Equal(6, orders.Distinct().Count());
    }

    [Fact]
    public void Hash_IsThatOfNamesAndContents()
    {
        _folder.Write("a/b.png", "one");
        _folder.Write("a.png", "two");
        byte[] expected = [
            .. "\u0005\0\0\0a.png"u8, .. SHA256.HashData("two"u8),
            .. "\u0007\0\0\0a/b.png"u8, .. SHA256.HashData("one"u8)];

        string hash = Hash("a/b.png", "a.png");
        Assert.Equal($"sha256:{Convert.ToHexStringLower(SHA256.HashData(expected))}", hash);
        Assert.Equal(hash, Hash("a.png", "a/b.png"));
        Assert.NotEqual(hash, Hash("a.png"));
        _folder.Write("a.png", "twO");
        Assert.NotEqual(hash, Hash("a.png", "a/b.png"));
    }

    [Fact]
    public void DefectConfiguration_IsRead()
    {
        _folder.Write("defects_config.json", """
            [{"defect_name": "1_nut", "pixel_value": 255, "saturation_threshold": 10000, "relative_saturation": false},
             {"defect_name": "swapped", "pixel_value": 254, "saturation_threshold": 0.5, "relative_saturation": true}]
            """);
        Assert.Equal(
            [new("1_nut", 255, 10000, false), new("swapped", 254, 0.5, true)], DefectConfiguration.Read(_folder.Root));
        Assert.Empty(DefectConfiguration.Read(_folder.At("elsewhere")));
    }

    [Theory]
    [InlineData("{}", "is not a list of")]
    [InlineData("[", "is not a list of")]
    [InlineData("[1]", "is not a list of")]
    [InlineData("""[{"defect_name": "x"}]""", "is not a list of")]
    public void DefectConfiguration_OfAnotherFormIsRefused(string json, string reason)
    {
        _folder.Write("defects_config.json", json);
        Assert.Contains(reason, DefectConfigurationError(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1.5", "1", "true", "is not a list of")]
    [InlineData("0", "1", "true", "'x' has the pixel value 0; 1 to 255 can stand.")]
    [InlineData("1", "1.5", "true", "'x' has the saturation threshold 1.5; it must be positive and at most 1.")]
    [InlineData("1", "0", "false", "'x' has the saturation threshold 0; it must be positive.")]
    public void DefectConfiguration_WithAnImpossibleValueIsRefused(
        string value, string saturation, string isRelative, string reason)
    {
        _folder.Write("defects_config.json", $"[{Defect(value, saturation, isRelative)}]");
        Assert.Contains(reason, DefectConfigurationError(), StringComparison.Ordinal);
    }

    [Fact]
    public void DefectConfiguration_WithAValueGivenTwiceIsRefused()
    {
        _folder.Write("defects_config.json", $"[{Defect("7", "1", "true")}, {Defect("7", "9", "false")}]");
        Assert.EndsWith("gives the pixel value 7 to 2 defects.", DefectConfigurationError(), StringComparison.Ordinal);
    }

    private static string Defect(string value, string saturation, string isRelative) => $$"""
        {"defect_name": "x", "pixel_value": {{value}},
         "saturation_threshold": {{saturation}}, "relative_saturation": {{isRelative}}}
        """;

    private string DefectConfigurationError() =>
        Assert.Throws<DatasetException>(() => DefectConfiguration.Read(_folder.Root)).Message;

    private string Hash(params string[] names) => DatasetHash.Compute(_folder.Root, names.Select(_folder.At));

    private static AnomalyDataset Dataset(int count)
    {
        string[] images = [.. Enumerable.Range(0, count).Select(i => $"/data/{i:d4}.png")];
        return new AnomalyDataset("part", "/data", DatasetLayout.PlainFolder, images, [], []);
    }
}
