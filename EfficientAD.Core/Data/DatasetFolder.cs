using EfficientAD.Imaging;

namespace EfficientAD.Data;

/// <summary>One folder of a data set: what it holds, hidden entries left out, in ordinal order of the names.</summary>
/// <remarks>A symbolic link may lead anywhere inside the data set; one out of it, or to nothing, is an error.</remarks>
internal sealed class DatasetFolder
{
    /// <summary>What <see cref="ImageReader"/> reads, for messages.</summary>
    public const string ImageFormats = "PNG, JPEG, TIFF, BMP, PGM, PPM";

    private readonly string _root;
    private readonly List<FileSystemInfo> _entries;

    /// <summary>Opens the data set's own folder.</summary>
    /// <exception cref="DatasetException">It is missing, a file, or unreadable.</exception>
    public DatasetFolder(string path)
        : this(System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path)), null) { }

    private DatasetFolder(string path, string? root)
    {
        if (!Directory.Exists(path))
            throw new DatasetException(
                File.Exists(path) ? $"{path} is a file, not a folder." : $"The folder {path} does not exist.");
        Path = path;
        try
        {
            _root = root ?? SymbolicLink.RealPath(path);
            _entries = [.. new DirectoryInfo(path).EnumerateFileSystemInfos().Where(entry => !IsHidden(entry))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DatasetException($"The folder {path} cannot be read: {e.Message}", e);
        }
        _entries.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
    }

    /// <summary>Absolute.</summary>
    public string Path { get; }

    public string Name => System.IO.Path.GetFileName(Path);

    /// <summary>Names of the sub-folders.</summary>
    public IEnumerable<string> FolderNames => _entries.OfType<DirectoryInfo>().Select(folder => folder.Name);

    /// <summary>Paths of the files that are images by their extension.</summary>
    public IReadOnlyList<string> Images() => [.. _entries
        .OfType<FileInfo>()
        .Where(file => ImageReader.HasImageExtension(file.Name))
        .Select(file => file.LinkTarget is null ? file.FullName : Inside(file.FullName))];

    /// <summary>As <see cref="Images"/>, and at least one.</summary>
    public IReadOnlyList<string> SomeImages() => Images() is { Count: > 0 } images
        ? images
        : throw new DatasetException($"{Path} holds no images ({ImageFormats}).");

    public bool Has(params ReadOnlySpan<string> names) => Directory.Exists(System.IO.Path.Combine([Path, .. names]));

    /// <summary>A folder below this one.</summary>
    public DatasetFolder Open(params ReadOnlySpan<string> names) =>
        new(Inside(System.IO.Path.Combine([Path, .. names])), _root);

    /// <summary>Returns <paramref name="path"/> if it really lies in the data set.</summary>
    /// <exception cref="DatasetException">A symbolic link leads elsewhere or to nothing.</exception>
    public string Inside(string path)
    {
        string real;
        try
        {
            real = SymbolicLink.RealPath(path);
        }
        catch (IOException e)
        {
            throw new DatasetException($"{path} cannot be resolved: {e.Message}", e);
        }
        char separator = System.IO.Path.DirectorySeparatorChar;
        string prefix = _root.EndsWith(separator) ? _root : _root + separator;
        if (!real.StartsWith(prefix, StringComparison.Ordinal))
        {
            throw new DatasetException(
                $"{path} is a symbolic link out of the data set, to {real}. Put a copy in its place.");
        }
        if (!System.IO.Path.Exists(real))
            throw new DatasetException($"{path} is a symbolic link to {real}, which does not exist.");
        return path;
    }

    private static bool IsHidden(FileSystemInfo entry) =>
        entry.Name.StartsWith('.') || entry.Attributes.HasFlag(FileAttributes.Hidden);
}
