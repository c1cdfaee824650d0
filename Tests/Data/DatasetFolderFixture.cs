namespace EfficientAD.Tests.Data;

/// <summary>A temporary folder to lay out data sets in; its images are empty files, for nothing decodes them.</summary>
public sealed class DatasetFolderFixture : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("efficientad-");

    public string Root => _folder.FullName;

    public void Dispose() => _folder.Delete(recursive: true);

    public string At(string name) => Path.Combine(Root, name.Replace('/', Path.DirectorySeparatorChar));

    public void Add(params string[] names)
    {
        foreach (string name in names) Write(name, "");
    }

    public void Write(string name, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
        File.WriteAllText(At(name), content);
    }

    /// <summary>Paths as names below the root, with '/'.</summary>
    public string[] Names(IEnumerable<string> paths) =>
        [.. paths.Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'))];
}
