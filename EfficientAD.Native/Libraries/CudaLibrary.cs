namespace EfficientAD.Native.Libraries;

/// <summary>One of NVIDIA's libraries, as an alternative to our own kernels.</summary>
/// <param name="Name">cuBLASLt or cuDNN.</param>
/// <param name="Version">Its own; null where it is not installed, which is normal, or tells none.</param>
/// <param name="Path">The file that was loaded; null where there is none.</param>
/// <param name="Unusable">Why the installed one is not used, in a sentence; null where it is, or where there is
/// none.</param>
public sealed record CudaLibrary(string Name, Version? Version, string? Path, string? Unusable)
{
    /// <summary>Whether it is installed and nothing speaks against it.</summary>
    public bool IsUsable => Path is not null && Unusable is null;

    internal static CudaLibrary Absent(string name) => new(name, null, null, null);
}
