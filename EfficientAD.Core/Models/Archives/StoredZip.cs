using System.IO.Hashing;

namespace EfficientAD.Models.Archives;

/// <summary>A zip archive whose entries lie in it as they are, so that they are read where they lie. torch.save and
/// numpy.savez write such archives; anything compressed is refused, and with it every zip bomb.</summary>
internal sealed class StoredZip
{
    private readonly string _file;
    private readonly MappedFile _archive;
    private readonly ZipDirectory _directory;
    private readonly HashSet<string> _verified = [];

    /// <param name="archive">Stays its owner's; must outlive this.</param>
    /// <exception cref="ModelFormatException">The archive is damaged, cut off or hostile.</exception>
    public StoredZip(string file, MappedFile archive) =>
        (_file, _archive, _directory) = (file, archive, new ZipDirectory(file, archive));

    public IReadOnlyList<string> Names => _directory.Names;

    /// <summary>Length of an entry in bytes; null where there is none of this name.</summary>
    public long? Length(string name) => _directory.TryGet(name, out ZipEntry? entry) ? entry!.Unpacked : null;

    /// <summary>The content of an entry, in the file's own memory. Its checksum is verified the first time.</summary>
    /// <param name="limit">Larger entries are refused.</param>
    /// <exception cref="ModelFormatException">It is missing, compressed, damaged or too large.</exception>
    public ReadOnlySpan<byte> Read(string name, int limit)
    {
        string printable = SafetensorsHeader.Printable(name);
        if (!_directory.TryGet(name, out ZipEntry? entry))
            throw new ModelFormatException(
                $"{_file} has no entry '{printable}'. The file is damaged, or no PyTorch file.");
        long start = _directory.ContentOf(entry!);
        if (entry!.Length > limit)
            throw new ModelFormatException($"{_file}: '{printable}' takes {entry.Length} bytes; the limit is {limit}.");
        ReadOnlySpan<byte> content = _archive.Slice(start, (int)entry.Length);
        if (!_verified.Contains(name))
        {
            uint checksum = Crc32.HashToUInt32(content);
            if (checksum != entry.Checksum)
            {
                throw new ModelFormatException(
                    $"{_file} is damaged: the checksum of '{printable}' is {checksum:x8} " +
                    $"but the archive says {entry.Checksum:x8}. " +
                    "Get the file again.");
            }

            _verified.Add(name);
        }

        return content;
    }
}
