namespace EfficientAD.Cli.Files;

/// <summary>Files for results that never take the place of something else unasked.</summary>
internal static class OutputFile
{
    /// <summary>Makes sure that a file may be written, and that its folder exists.</summary>
    /// <param name="option">What names the file on the command line.</param>
    /// <exception cref="IOException">It exists and may not be replaced, or is a folder.</exception>
    public static void Protect(string path, bool force, string option = "--out")
    {
        RequireNoFolder(path, option);
        if (!force) RequireNew(path);
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <exception cref="IOException">It is a folder.</exception>
    public static void RequireNoFolder(string path, string option = "--out")
    {
        if (Directory.Exists(path)) throw new IOException($"{path} is a folder. Name a file with {option}.");
    }

    /// <exception cref="IOException">It exists.</exception>
    public static void RequireNew(string path)
    {
        if (File.Exists(path)) throw new IOException($"{path} exists. Name another file, or use --force.");
    }

    /// <exception cref="IOException">There is no checkpoint to resume from.</exception>
    public static void RequireCheckpoint(string checkpoint)
    {
        if (!File.Exists(checkpoint))
            throw new IOException($"There is nothing to resume: {checkpoint} does not exist. Start without --resume.");
    }

    /// <exception cref="IOException">There is a checkpoint, which a run from the start would replace.</exception>
    public static void RequireNoCheckpoint(string checkpoint)
    {
        if (File.Exists(checkpoint))
        {
            throw new IOException(
                $"{checkpoint} holds an interrupted run. Go on with --resume, or start anew with --force.");
        }
    }
}
