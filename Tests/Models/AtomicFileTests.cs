using EfficientAD.Models;

namespace EfficientAD.Tests.Models;

public sealed class AtomicFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("efficientad-");

    private string Target => Path.Combine(_folder.FullName, "model.safetensors");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Write_CreatesAndReplaces()
    {
        AtomicFile.Write(Target, stream => stream.Write([1, 2, 3]));
        AtomicFile.Write(Target, stream => stream.Write([4]));
        Assert.Equal([4], File.ReadAllBytes(Target));
        Assert.Single(_folder.GetFileSystemInfos());
    }

    [Theory]
    [InlineData(typeof(IOException))]                 // what a full disk gives
    [InlineData(typeof(OperationCanceledException))]
    public void FailedWrite_KeepsTheOldFileAndLeavesNothingBehind(Type failure)
    {
        File.WriteAllText(Target, "old");
        Assert.Throws(failure, () => AtomicFile.Write(Target, stream =>
        {
            stream.Write(new byte[100_000]);
            throw (Exception)Activator.CreateInstance(failure)!;
        }));
        Assert.Equal("old", File.ReadAllText(Target));
        Assert.Single(_folder.GetFileSystemInfos());
    }

    [Fact]
    public void FailedRename_LeavesNothingBehind()
    {
        Directory.CreateDirectory(Path.Combine(Target, "occupied"));
        Assert.ThrowsAny<Exception>(() => AtomicFile.Write(Target, stream => stream.WriteByte(1)));
        Assert.True(Directory.Exists(Path.Combine(Target, "occupied")));
        Assert.Single(_folder.GetFileSystemInfos());
    }

    [Fact]
    public void MissingFolder_IsNamed()
    {
        string path = Path.Combine(_folder.FullName, "nowhere", "model.safetensors");
        var error = Assert.Throws<DirectoryNotFoundException>(() => AtomicFile.Write(path, _ => { }));
        Assert.Contains("nowhere", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SymbolicLink_StaysAndItsTargetIsReplaced()
    {
        if (OperatingSystem.IsWindows()) return;  // links need a privilege there
        var elsewhere = _folder.CreateSubdirectory("elsewhere");
        string real = Path.Combine(elsewhere.FullName, "real.safetensors");
        File.WriteAllText(real, "old");
        File.CreateSymbolicLink(Target, real);
        AtomicFile.Write(Target, stream => stream.Write("new"u8));
        Assert.Equal(real, new FileInfo(Target).LinkTarget);
        Assert.Equal("new", File.ReadAllText(real));
    }
}
