using System.IO.Enumeration;
using EfficientAD.Imaging;

namespace EfficientAD.Cli.Files;

/// <summary>An image file and how to call it: the path below the folder that was named, or the file's name.</summary>
internal readonly record struct ImagePath(string Path, string Name);

/// <summary>Files, folders and patterns, as a command line names them, turned into image files.</summary>
internal static class ImagePaths
{
    /// <summary>Resolves arguments in their order. A folder stands for all images in it and below, in ordinal order,
    /// hidden ones left out; a pattern with * or ? for the images that match, ** for any number of folders. Everything
    /// else is taken as a file, whether it exists or not: it is missed when it is read.</summary>
    /// <exception cref="DirectoryNotFoundException">A folder or pattern yields no image.</exception>
    public static IReadOnlyList<ImagePath> Expand(IEnumerable<string> arguments) => [.. arguments.SelectMany(Expand)];

    private static IEnumerable<ImagePath> Expand(string argument)
    {
        if (Directory.Exists(argument)) return Some(Below(argument, "**"), $"{argument} holds no images");
        if (argument.AsSpan().IndexOfAny('*', '?') < 0 || File.Exists(argument))
            return [new ImagePath(argument, Path.GetFileName(argument))];

        // The folder is what stands before the first segment with a wildcard.
        string[] segments = argument.Split('/', Path.DirectorySeparatorChar);
        int first = Array.FindIndex(segments, segment => segment.AsSpan().IndexOfAny('*', '?') >= 0);
        string folder = string.Join(Path.DirectorySeparatorChar, segments[..first]);
        if (folder == "") folder = Path.IsPathRooted(argument) ? Path.DirectorySeparatorChar.ToString() : ".";
        IEnumerable<ImagePath> matches = Directory.Exists(folder) ? Below(folder, segments[first..]) : [];
        return Some(matches, $"No image matches {argument}");
    }

    private static IEnumerable<ImagePath> Some(IEnumerable<ImagePath> images, string otherwise)
    {
        ImagePath[] sorted = [.. images.OrderBy(image => image.Name, StringComparer.Ordinal)];
        return sorted.Length > 0
            ? sorted
            : throw new DirectoryNotFoundException($"{otherwise} (PNG, JPEG, TIFF, BMP, PGM, PPM).");
    }

    private static IEnumerable<ImagePath> Below(string folder, params string[] pattern)
    {
        var options = new EnumerationOptions { RecurseSubdirectories = pattern.Length > 1 || pattern[0] == "**" };
        return Directory.EnumerateFiles(folder, "*", options)
            .Where(ImageReader.HasImageExtension)
            .Select(path => (Path: path, Name: Path.GetRelativePath(folder, path)))
            .Where(image => Matches(image.Name.Split(Path.DirectorySeparatorChar), pattern))
            .Select(image => new ImagePath(folder == "." ? image.Name : image.Path, image.Name));
    }

    private static bool Matches(ReadOnlySpan<string> name, ReadOnlySpan<string> pattern)
    {
        if (pattern is ["**"]) return !name.IsEmpty;
        if (pattern is ["**", ..])
            return Matches(name, pattern[1..]) || (!name.IsEmpty && Matches(name[1..], pattern));
        if (name.IsEmpty || pattern.IsEmpty) return name.IsEmpty && pattern.IsEmpty;
        return FileSystemName.MatchesSimpleExpression(pattern[0], name[0], ignoreCase: OperatingSystem.IsWindows())
            && Matches(name[1..], pattern[1..]);
    }
}
