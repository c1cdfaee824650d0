namespace EfficientAD.Models;

/// <summary>Replaces a file whole or not at all.</summary>
public static class AtomicFile
{
    /// <summary>Writes to a temporary file in the same folder, flushes it to the disk, then renames it. When anything
    /// fails or is cancelled, a file that was there before stays as it was, and the temporary file goes.</summary>
    /// <param name="path">Where the file shall be; a symbolic link stays and its target is replaced.</param>
    /// <param name="write">Writes the content to the stream it is given; it may throw.</param>
    /// <exception cref="IOException">The disk is full, the folder is missing, and the like.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        var link = new FileInfo(path);
        string target = (link.LinkTarget is null ? link : link.ResolveLinkTarget(returnFinalTarget: true)!).FullName;
        string temporary = Path.Combine(
            Path.GetDirectoryName(target)!, $".{Path.GetFileName(target)}.{Guid.NewGuid():N}.tmp");
        var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None);
        try
        {
            using (stream)
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, target, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
