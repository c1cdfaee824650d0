namespace EfficientAD.Data;

internal static class SymbolicLink
{
    private const int MaximumDepth = 40;  // Linux's own limit

    /// <summary>The absolute path without any symbolic link in it, whether it exists or not.</summary>
    /// <exception cref="IOException">The links form a circle.</exception>
    public static string RealPath(string path) => RealPath(Path.GetFullPath(path), 0);

    private static string RealPath(string path, int depth)
    {
        if (depth > MaximumDepth) throw new IOException($"Too many symbolic links on the way to {path}.");
        if (Path.GetDirectoryName(path) is not { } parent) return path;
        string real = Path.Combine(RealPath(parent, depth), Path.GetFileName(path));
        return new FileInfo(real).LinkTarget is { } target
            ? RealPath(Path.GetFullPath(target, Path.GetDirectoryName(real)!), depth + 1)
            : real;
    }
}
