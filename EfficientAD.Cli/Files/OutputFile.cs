namespace EfficientAD.Cli.Files;

/// <summary>Files for results that never take the place of something else unasked.</summary>
internal static class OutputFile
{
    /// <summary>Makes sure that a file may be written, and that its folder exists.</summary>
    /// <exception cref="IOException">It exists and may not be replaced, or is a folder.</exception>
    public static void Protect(string path, bool force)
    {
        if (Directory.Exists(path)) throw new IOException($"{path} is a folder. Name a file with --out.");
        if (File.Exists(path) && !force) throw new IOException($"{path} exists. Name another file, or use --force.");
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }
}
