namespace EfficientAD.Cli.Files;

/// <summary>Folders for results that never take the place of something else.</summary>
internal static class OutputFolder
{
    /// <summary>Creates a folder, or takes one that is empty or holds nothing but what an earlier run wrote.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="ours">Names that the command writes into it.</param>
    /// <exception cref="IOException">It is a file, or holds something else.</exception>
    public static void Prepare(string path, params ReadOnlySpan<string> ours)
    {
        if (File.Exists(path)) throw new IOException($"{path} is a file. Name another folder with --out.");
        if (Directory.Exists(path))
        {
            foreach (string entry in Directory.EnumerateFileSystemEntries(path).Order(StringComparer.Ordinal))
            {
                string name = Path.GetFileName(entry);
                if (!ours.Contains(name))
                    throw new IOException($"{path} holds {name}, which is not ours. Name an empty folder with --out.");
            }
        }

        Directory.CreateDirectory(path);
    }
}
