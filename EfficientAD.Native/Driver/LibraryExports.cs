namespace EfficientAD.Native.Driver;

/// <summary>The entry points that a native library, or what stands in its place, offers by name.</summary>
/// <param name="export">The address of an entry point; 0 where there is none.</param>
/// <param name="library">Its name in messages.</param>
internal readonly struct LibraryExports(Func<string, nint> export, string library)
{
    /// <exception cref="CudaException">The library does not have it.</exception>
    public nint Required(string name) => export(name) is not 0 and var address
        ? address
        : throw new CudaException($"{library} has no {name}: it is too old, or another library.");

    /// <summary>0 where the library is older than the entry point.</summary>
    public nint Optional(string name) => export(name);
}
