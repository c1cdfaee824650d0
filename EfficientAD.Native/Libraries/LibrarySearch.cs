using System.Runtime.InteropServices;

namespace EfficientAD.Native.Libraries;

/// <summary>Finds NVIDIA's libraries where toolkits, distributions and Python wheels put them.</summary>
internal static class LibrarySearch
{
    /// <summary>The environment variable that names folders to look in before the system's own places, separated as in
    /// PATH: those that hold the libraries, or site-packages of a Python that has the wheels.</summary>
    public const string FoldersVariable = "EFFICIENTAD_CUDA_LIBRARIES";

    /// <summary>Where wheels put libraries, below site-packages.</summary>
    private static readonly string[] WheelFolders =
    [
        "", "nvidia/cu13/lib", "nvidia/cublas/lib", "nvidia/cuda_nvrtc/lib", "nvidia/cudnn/lib",
        "nvidia/cu13/bin/x86_64", "nvidia/cublas/bin", "nvidia/cuda_nvrtc/bin", "nvidia/cudnn/bin",
    ];

    /// <summary>Loads the first of some file names that is there: each in the named folders, then each wherever the
    /// system looks. It is never unloaded.</summary>
    /// <param name="folders">The value of <see cref="FoldersVariable"/>, or null.</param>
    /// <returns>The library and where it was found; null where there is none.</returns>
    public static (nint Library, string Path)? Load(IReadOnlyList<string> names, string? folders)
    {
        IEnumerable<string> candidates = names.SelectMany(name => InFolders(name, folders)).Concat(Installed(names));
        foreach (string candidate in candidates)
        {
            if (NativeLibrary.TryLoad(candidate, out nint library)) return (library, candidate);
        }
        return null;
    }

    /// <summary>Loads what another library will look for by name alone: on Linux a library that is loaded already is
    /// found so. Nothing happens where it is missing.</summary>
    public static void LoadBeforehand(IReadOnlyList<string> names, string? folders)
    {
        foreach (string path in names.SelectMany(name => InFolders(name, folders)))
        {
            if (NativeLibrary.TryLoad(path, out _)) return;
        }
    }

    /// <summary>On Windows a bare name would be looked for in the current folder, too, where anybody may have put
    /// it.</summary>
    private static IEnumerable<string> Installed(IReadOnlyList<string> names)
    {
        if (!OperatingSystem.IsWindows()) return names;
        string[] path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        return from name in names
               from folder in path
               where Path.IsPathFullyQualified(folder)
               let file = Path.Combine(folder, name)
               where File.Exists(file)
               select file;
    }

    private static IEnumerable<string> InFolders(string name, string? folders) =>
        from root in (folders ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        from folder in WheelFolders
        let path = Path.GetFullPath(Path.Combine(root, folder, name))
        where File.Exists(path)
        select path;
}
