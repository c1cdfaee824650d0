using EfficientAD.Cli.Files;
using EfficientAD.Tests.Imaging;

namespace EfficientAD.Tests.Cli;

public sealed class ImagePathsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public ImagePathsTests()
    {
        string[] names = ["b.png", "a.JPG", "notes.txt", "one/c.png", "one/deep/d.tif", "two/c.png", ".hidden/e.png"];
        foreach (string name in names)
        {
            Directory.CreateDirectory(Path.Combine(_folder.Path, Path.GetDirectoryName(name)!));
            _folder.Write(name, []);
        }
    }

    [Theory]
    [InlineData("", "a.JPG b.png one/c.png one/deep/d.tif two/c.png")]
    [InlineData("one", "c.png deep/d.tif")]
    [InlineData("*.png", "b.png")]
    [InlineData("*/c.png", "one/c.png two/c.png")]
    [InlineData("o?e/*", "one/c.png")]
    [InlineData("**/*.tif", "one/deep/d.tif")]
    [InlineData("**/c.png", "one/c.png two/c.png")]
    [InlineData("one/*/d.*", "deep/d.tif|one/deep/d.tif")]
    [InlineData("notes.txt", "notes.txt")]
    [InlineData("missing.png", "missing.png")]
    public void Argument_BecomesFiles(string argument, string expected)
    {
        ImagePath[] images = [.. ImagePaths.Expand([Path.Combine(_folder.Path, argument)])];
        string names = string.Join(' ', images.Select(image => image.Name.Replace('\\', '/')));
        Assert.Contains(names, expected.Split('|'));
        Assert.All(images, image => Assert.EndsWith(image.Name, image.Path));
    }

    [Fact]
    public void ArgumentsKeepTheirOrder()
    {
        string[] arguments = [Path.Combine(_folder.Path, "two"), Path.Combine(_folder.Path, "a.JPG")];
        Assert.Equal(["c.png", "a.JPG"], ImagePaths.Expand(arguments).Select(image => image.Name));
    }

    public void Dispose() => _folder.Dispose();
}
